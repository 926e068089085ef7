"""What every store promises of the history of outcomes, on PostgreSQL and in memory."""

from array import array

import numpy as np

from attune.consent import Consent
from attune.context import Context
from attune.contract.event import Impression, ShownItem
from attune.contract.served import ServedItem, ServedSlate
from origin.storage.outcomes import KeptInteraction, OutboxEntry, ShownSlate
from origin.storage.port import RewardCount, UserRow
from tests.contract.conftest import Store

NOW_MS = 1_700_000_000_000


def impression(slate_id: str, at_ms: int = NOW_MS) -> Impression:
    return Impression(
        event_id=f"e-{slate_id}",
        consent=Consent.FULL,
        user_id="ann",
        session_id="s",
        slate_id=slate_id,
        items=(ShownItem("i0", 0, 0.5), ShownItem("i1", 1, 0.25)),
        occurred_at_ms=at_ms,
        surface="home",
        context=Context(device="mobile"),
        policy_version=3,
        model_version="m",
    )


def served(slate_id: str, user_id: str | None = "ann", at_ms: int = NOW_MS) -> ServedSlate:
    return ServedSlate(
        slate_id=slate_id,
        user_id=user_id,
        session_id="s",
        consent=Consent.COHORT if user_id is None else Consent.FULL,
        surface="home",
        context=Context(device="mobile"),
        served_at_ms=at_ms,
        bundle_version="b",
        policy_version=3,
        model_version="m",
        context_version=1,
        degraded="full",
        epsilon=0.02,
        seed=7,
        candidates=40,
        exploration_rate=0.1,
        feature_names=("a", "b"),
        items=(
            ServedItem("i0", 0, 0.5, 0.125, False, array("f", [1.0, 2.0])),
            ServedItem("i1", 1, 0.25, 0.0625, True, array("f", [3.0, 4.0])),
        ),
    )


def shown(slate_id: str, is_open: bool = True) -> ShownSlate:
    items = (ShownItem("i0", 0, 0.5), ShownItem("i1", 1, 0.25))
    return ShownSlate(slate_id, "mobile", NOW_MS, items, is_open)


def act(slate_id: str | None, item_id: str = "i0", user_id: str | None = "ann") -> KeptInteraction:
    return KeptInteraction(user_id, slate_id, item_id, "click", NOW_MS)


async def test_a_shown_slate_is_open_until_it_is_closed(store: Store) -> None:
    async with store.transaction() as transaction:
        await transaction.add_impressions([impression("a"), impression("b")], NOW_MS + 10)
    async with store.transaction() as transaction:
        assert await transaction.shown_slates(["a", "ghost"]) == {"a": shown("a")}
        assert await transaction.due_slates(NOW_MS + 9, 5) == []
        assert [s.slate_id for s in await transaction.due_slates(NOW_MS + 10, 1)] in (["a"], ["b"])
        await transaction.close_slates(["a"])
    async with store.transaction() as transaction:
        assert await transaction.shown_slates(["a"]) == {"a": shown("a", is_open=False)}
        assert await transaction.due_slates(NOW_MS + 10, 5) == [shown("b")]


async def test_interactions_are_found_by_their_slate(store: Store) -> None:
    acts = [act("a"), act("a", "i1", None), act("b"), act(None)]
    async with store.transaction() as transaction:
        await transaction.add_interactions(acts, NOW_MS)
    async with store.transaction() as transaction:
        found = await transaction.interactions_with(["a", "ghost"])
    assert sorted(found, key=str) == sorted(acts[:2], key=str)


async def test_the_outbox_keeps_its_order_and_forgets_what_was_sent(store: Store) -> None:
    first, second = (
        OutboxEntry("rewards", b"k", (b"1", b"2")),
        OutboxEntry("rewards", b"l", (b"3",)),
    )
    async with store.transaction() as transaction:
        await transaction.add_outbox([first, second])
    async with store.transaction() as transaction:
        (entry,) = await transaction.outbox(1)
        assert (entry.topic, entry.key, entry.records) == ("rewards", b"k", (b"1", b"2"))
        await transaction.drop_outbox([entry.outbox_id])
    async with store.transaction() as transaction:
        assert [entry.key for entry in await transaction.outbox(9)] == [b"l"]


async def test_positions_count_what_was_done_with_the_latest_slates(store: Store) -> None:
    async with store.transaction() as transaction:
        slates = [impression("old", NOW_MS - 9), impression("a"), impression("late", NOW_MS + 1)]
        await transaction.add_impressions(slates, NOW_MS)
        acts = [act("a"), act("a"), act("a", "i1")._replace(action="view"), act("old", "i1")]
        await transaction.add_interactions(acts, NOW_MS)
    async with store.transaction() as transaction:
        latest = await transaction.position_counts(NOW_MS + 1, 1)
        both = await transaction.position_counts(NOW_MS + 1, 2)
    assert sorted(latest) == [("i0", 0, 1, 1), ("i1", 1, 1, 0)]
    assert sorted(both) == [("i0", 0, 2, 1), ("i1", 1, 2, 1)]


async def test_what_was_fitted_is_replaced_by_what_is_fitted_later(store: Store) -> None:
    for value in (b"1", b"2"):
        async with store.transaction() as transaction:
            await transaction.put_fitting("x", value, NOW_MS)
    async with store.transaction() as transaction:
        assert await transaction.fitting("x") == b"2"
        assert await transaction.fitting("y") is None


async def test_drift_reads_users_decisions_and_all_rewards(store: Store) -> None:
    vector = np.full(64, 0.125, dtype=np.float32)
    async with store.transaction() as transaction:
        assert (await transaction.population(9)).shape == (0, 64)
        assert await transaction.reward_totals() == (0.0, 0.0)
        await transaction.put_users([UserRow(f"u{n}", vector) for n in range(7)])
        await transaction.add_rewards([RewardCount("i", "a", 2, 1), RewardCount("i", "b", 3, 0.5)])
        await transaction.add_served([served("a"), served("b", at_ms=NOW_MS + 1)], NOW_MS)
        await transaction.put_fitting("x", b"1", NOW_MS)
        await transaction.drop_fitting("x")
    async with store.transaction() as transaction:
        assert np.allclose(await transaction.population(5), np.tile(vector, (5, 1)), atol=1e-4)
        assert await transaction.reward_totals() == (5.0, 1.5)
        assert await transaction.latest_served(1) == [served("b", at_ms=NOW_MS + 1)]
        assert await transaction.fitting("x") is None


async def test_old_outcomes_go_a_bounded_number_at_a_time(store: Store) -> None:
    async with store.transaction() as transaction:
        await transaction.add_interactions([act("a"), act("a"), act("b")], NOW_MS)
        await transaction.add_interactions([act("c")], NOW_MS + 5)
        await transaction.add_impressions([impression("a"), impression("open")], NOW_MS)
        await transaction.add_served([served("a"), served("a", None)], NOW_MS)
        await transaction.close_slates(["a"])
    gone: list[int] = []
    while not gone or gone[-1]:
        async with store.transaction() as transaction:
            gone.append(await transaction.forget_outcomes(NOW_MS + 1, 2))
    assert gone == [4, 1, 0]
    async with store.transaction() as transaction:
        assert list(await transaction.interactions_with(["a", "b", "c"])) == [act("c")]
        assert list(await transaction.shown_slates(["a", "open"])) == ["open"]
