"""What every store promises, on PostgreSQL and in memory."""

import numpy as np
import pytest

from attune.consent import Consent
from attune.context import Context
from attune.contract.event import Impression, ShownItem
from attune.contract.item import Item
from attune.contract.recommendation import RecentInteraction
from attune.covisitation import Neighbour
from attune.popularity import MS_PER_HOUR, levels, merged_levels
from origin.storage.port import (
    NEIGHBOURS_MAX,
    DeadLetter,
    Embedding,
    PopularityDelta,
    RewardCount,
    SeenEvents,
    UserItem,
    UserRow,
)
from origin.storage.user_columns import columns_of
from tests.contract.conftest import Store

NOW_MS = 1_700_000_000_000


def towards(angle: float) -> Embedding:
    vector = np.zeros(64, dtype=np.float32)
    vector[:2] = np.cos(angle), np.sin(angle)
    return vector


async def _fill(store: Store, count: int = 5) -> None:
    items = [
        Item(f"i{n}", f"Item {n}", category=f"c{n % 2}", tags=("a", "b"), price=n + 0.5,
             attributes={"size": 3.0, "new": True, "colour": "red"})
        for n in range(count)
    ]  # fmt: skip
    await store.put_items(items, NOW_MS)
    await store.put_embeddings("v1", {f"i{n}": towards(n / 10) for n in range(count)})


async def test_putting_items_again_counts_only_the_new_and_keeps_what_was_learned(
    store: Store,
) -> None:
    assert await store.put_items([Item("a", "A"), Item("b", "B")], NOW_MS) == 2
    await store.put_embeddings("v1", {"a": towards(0.5)})
    assert await store.put_items([Item("a", "A, renamed"), Item("c", "C")], NOW_MS + 9) == 1
    row = await store.item("a")
    assert row is not None
    assert (row.item.title, row.first_seen_ms, row.embedding_version) == (
        "A, renamed",
        NOW_MS,
        "v1",
    )
    assert row.embedding is not None
    assert np.abs(row.embedding - towards(0.5)).max() < 1e-3


async def test_an_item_comes_back_as_it_was_put(store: Store) -> None:
    await _fill(store, 1)
    row = await store.item("i0")
    assert row is not None
    assert row.item == Item(
        "i0", "Item 0", category="c0", tags=("a", "b"), price=0.5,
        attributes={"size": 3.0, "new": True, "colour": "red"},
    )  # fmt: skip
    assert await store.item("nothing") is None


async def test_the_last_of_two_items_with_one_id_wins(store: Store) -> None:
    assert await store.put_items([Item("a", "first"), Item("a", "second")], NOW_MS) == 1
    row = await store.item("a")
    assert row is not None
    assert row.item.title == "second"


async def test_embeddings_of_unknown_items_are_skipped(store: Store) -> None:
    await _fill(store, 1)
    assert await store.put_embeddings("v2", {"i0": towards(0), "ghost": towards(1)}) == 1


async def test_pages_of_items_follow_each_other(store: Store) -> None:
    await _fill(store)
    first = await store.items_after("", 3)
    assert [row.item.item_id for row in first] == ["i0", "i1", "i2"]
    rest = await store.items_after("i2", 3)
    assert [row.item.item_id for row in rest] == ["i3", "i4"]


async def test_nearest_orders_available_items_by_inner_product(store: Store) -> None:
    await _fill(store)
    await store.put_items([Item("i1", "gone", available=False), Item("bare", "Bare")], NOW_MS)
    found = await store.nearest(towards(0.08), 3)
    assert [entry.item_id for entry in found] == ["i0", "i2", "i3"]
    assert found[0].score == pytest.approx(np.cos(0.08), abs=1e-3)


async def test_trending_follows_the_levels_and_the_category(store: Store) -> None:
    await _fill(store)
    async with store.transaction() as transaction:
        await transaction.add_popularity(
            [
                PopularityDelta("i1", levels("click", NOW_MS)),
                PopularityDelta("i3", levels("purchase", NOW_MS)),
                PopularityDelta("i2", levels("click", NOW_MS + 48 * MS_PER_HOUR)),
                PopularityDelta("ghost", levels("click", NOW_MS)),
            ]
        )
    assert [entry.item_id for entry in await store.trending(9)] == ["i2", "i3", "i1"]
    assert [entry.item_id for entry in await store.trending(9, "c1")] == ["i3", "i1"]


async def test_levels_of_two_batches_merge_in_the_log_domain(store: Store) -> None:
    await _fill(store)
    one, other = levels("click", NOW_MS), levels("cart", NOW_MS + 5 * MS_PER_HOUR)
    for batch in (one, other):
        async with store.transaction() as transaction:
            await transaction.add_popularity([PopularityDelta("i0", batch)])
    row = (await store.item_rows(["i0", "ghost"]))["i0"]
    assert row.levels == pytest.approx(merged_levels(one, other))


async def test_newest_orders_by_first_sight(store: Store) -> None:
    for n, item_id in enumerate(("old", "middle", "new")):
        await store.put_items([Item(item_id, item_id)], NOW_MS + n)
    assert [entry.item_id for entry in await store.newest(2)] == ["new", "middle"]


async def test_neighbours_merge_and_come_strongest_first(store: Store) -> None:
    await _fill(store)
    for batch in ([Neighbour("i0", "i1", 4.0), Neighbour("i0", "i2", 4.5)],
                  [Neighbour("i0", "i1", 4.0), Neighbour("i3", "i4", 1.0)]):  # fmt: skip
        async with store.transaction() as transaction:
            await transaction.add_covisits(batch)
    found = await store.together(["i0", "i3", "i4"], 5)
    assert [(pair.seed_id, pair.item_id, pair.level) for pair in found if pair.seed_id == "i0"] == [
        ("i0", "i1", 5.0),
        ("i0", "i2", 4.5),
    ]
    assert [pair.item_id for pair in found if pair.seed_id == "i3"] == ["i4"]
    assert len(await store.together(["i0"], 1)) == 1


async def test_pruning_keeps_the_strongest_neighbours_of_each_seed(store: Store) -> None:
    many = NEIGHBOURS_MAX + 5
    await store.put_items([Item(f"n{number:03}", "N") for number in range(many)], NOW_MS)
    async with store.transaction() as transaction:
        await transaction.add_covisits(
            [Neighbour(seed, f"n{n:03}", float(n)) for seed in ("a", "b") for n in range(many)]
            + [Neighbour("c", "n001", 1.0)]
        )
    async with store.transaction() as transaction:
        assert await transaction.prune_covisits("", 1) == "a"
        assert await transaction.prune_covisits("b", 9) == "c"
    found = await store.together(["a", "b", "c"], 500)
    sizes = {seed: sum(pair.seed_id == seed for pair in found) for seed in ("a", "b", "c")}
    assert sizes == {"a": NEIGHBOURS_MAX, "b": many, "c": 1}
    assert min(pair.level for pair in found if pair.seed_id == "a") == 5.0
    async with store.transaction() as transaction:
        assert await transaction.prune_covisits("a", 9) == "c"
        assert await transaction.prune_covisits("c", 9) is None
    assert len(await store.together(["b"], 500)) == NEIGHBOURS_MAX


async def test_a_user_comes_back_as_written_with_what_was_seen(store: Store) -> None:
    assert (await store.user_state("u")).row.interactions == 0
    recent = (RecentInteraction("i0", "click", 5), RecentInteraction("i1", "view", 7))
    row = UserRow("u", towards(0.3), 7, 2, recent, {"i4": 3})
    async with store.transaction() as transaction:
        assert await transaction.users(["u"]) == {}
        await transaction.put_users([row])
        await transaction.add_user_items(
            [UserItem("u", "i0", "click", 5), UserItem("u", "i1", "view", 7)]
        )
    async with store.transaction() as transaction:
        # A later look does not make the clicked item unknown again.
        await transaction.add_user_items(
            [UserItem("u", "i0", "view", 9), UserItem("u", "i2", "dismiss", 8)]
        )
    state = await store.user_state("u")
    assert state.seen == ("i0", "i2")
    assert (state.row.recent, state.row.covers_until_ms, state.row.interactions) == (recent, 7, 2)
    assert dict(state.row.exposures) == {"i4": 3}
    # Stored in fixed point of 15 bits.
    assert np.allclose(state.row.embedding, towards(0.3), rtol=0, atol=0.5 / 32767)


async def test_counts_add_up_per_bucket_and_name_the_category(store: Store) -> None:
    await _fill(store)
    for _ in range(2):
        async with store.transaction() as transaction:
            await transaction.add_rewards(
                [RewardCount("i1", "mobile", 10, 1.5), RewardCount("i2", "desktop", 1, 0)]
            )
    counts = await store.policy_counts(1)
    assert [(c.item_id, c.impressions, c.reward) for c in counts] == [("i1", 20, 3.0)]
    assert [(c.item_id, c.bucket, c.category) for c in await store.policy_counts(9)] == [
        ("i1", "mobile", "c1"),
        ("i2", "desktop", "c0"),
    ]


async def test_counts_come_with_the_offsets_up_to_which_they_hold(store: Store) -> None:
    await _fill(store)
    async with store.transaction() as transaction:
        await transaction.add_rewards([RewardCount("i1", "mobile", 10, 1.5)])
        await transaction.set_next_offsets("g", "events", {0: 17, 3: 4})
        await transaction.set_next_offsets("g", "impressions", {0: 99})
        await transaction.set_next_offsets("other", "events", {0: 98})
    state = await store.policy_state(9, "g", "events")
    assert state.counts == [RewardCount("i1", "mobile", 10, 1.5, "c1")]
    assert state.covers == {0: 17, 3: 4}


def impression(slate_id: str, at_ms: int) -> Impression:
    return Impression(
        event_id=f"e-{slate_id}",
        consent=Consent.COHORT,
        user_id=None,
        session_id="s",
        slate_id=slate_id,
        items=(ShownItem("i0", 0, 0.5), ShownItem("i1", 1, 0.25)),
        occurred_at_ms=at_ms,
        surface="home",
        context=Context(device="mobile"),
        policy_version=3,
        model_version="m",
    )


async def test_impressions_are_kept_once_and_come_newest_first(store: Store) -> None:
    old, new = impression("a", NOW_MS), impression("b", NOW_MS + 1)
    async with store.transaction() as transaction:
        await transaction.add_impressions([old, new], NOW_MS)
    async with store.transaction() as transaction:
        await transaction.add_impressions([old], NOW_MS)
    assert list(await store.recent_impressions(5)) == [new, old]


async def test_seen_events_are_kept_by_group_and_partition_until_they_are_forgotten(
    store: Store,
) -> None:
    old, new = b"\x01" * 8, b"\x02" * 16
    async with store.transaction() as transaction:
        await transaction.add_seen_events("g", "t", [SeenEvents(0, 5, old), SeenEvents(1, 9, old)])
    async with store.transaction() as transaction:
        await transaction.add_seen_events("g", "t", [SeenEvents(0, 7, new)])
        await transaction.add_seen_events("other", "t", [SeenEvents(0, 7, old)])
    async with store.transaction() as transaction:
        assert await transaction.seen_events("g", "t", [0, 1, 2]) == {0: old + new, 1: old}
        await transaction.forget_seen_events("g", "t", {0: 5, 1: 5})
    async with store.transaction() as transaction:
        assert await transaction.seen_events("g", "t", [0, 1, 2]) == {0: new, 1: old}
        assert await transaction.seen_events("other", "t", [0]) == {0: old}


async def test_small_rows_of_seen_events_are_put_together_in_their_order(store: Store) -> None:
    async with store.transaction() as transaction:
        for number in range(1, 9):
            row = SeenEvents(0, number, bytes([number]) * 8)
            await transaction.add_seen_events("g", "t", [row])
        await transaction.forget_seen_events("g", "t", {0: 2})
    async with store.transaction() as transaction:
        expected = b"".join(bytes([number]) * 8 for number in range(3, 9))
        assert await transaction.seen_events("g", "t", [0]) == {0: expected}


async def test_owners_of_users_notice_when_somebody_else_changed_them(store: Store) -> None:
    row = UserRow("u", towards(0.3), 7, 2)

    async def epoch() -> int:
        async with store.transaction() as transaction:
            before = await transaction.own_users()
            await transaction.put_user_columns(columns_of([row]))
            return before

    first = await epoch()
    assert await epoch() == first
    async with store.transaction() as transaction:
        await transaction.put_users([row])
    assert await epoch() != first


async def test_a_group_resumes_where_it_stopped(store: Store) -> None:
    async with store.transaction() as transaction:
        assert await transaction.next_offsets("g", "events", [0, 2]) == {0: 0, 2: 0}
        await transaction.set_next_offsets("g", "events", {0: 17})
    async with store.transaction() as transaction:
        assert await transaction.next_offsets("g", "events", [0, 2]) == {0: 17, 2: 0}


async def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    await _fill(store)

    async def fail() -> None:
        async with store.transaction() as transaction:
            await transaction.put_users([UserRow("u", interactions=5)])
            await transaction.set_next_offsets("g", "events", {0: 3})
            await transaction.add_rewards([RewardCount("i0", "mobile", 1, 1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert (await store.user_state("u")).row.interactions == 0
    assert list(await store.policy_counts(9)) == []
    async with store.transaction() as transaction:
        assert await transaction.next_offsets("g", "events", [0]) == {0: 0}


async def test_deleting_an_item_forgets_what_was_learned_of_it(store: Store) -> None:
    await _fill(store)
    async with store.transaction() as transaction:
        await transaction.add_covisits([Neighbour("i0", "i1", 1.0), Neighbour("i1", "i0", 1.0)])
        await transaction.add_rewards([RewardCount("i1", "mobile", 1, 1)])
        await transaction.add_popularity([PopularityDelta("i1", levels("click", NOW_MS))])
    assert await store.delete_item("i1")
    assert not await store.delete_item("i1")
    assert list(await store.together(["i0", "i1"], 5)) == []
    assert list(await store.trending(5)) == []
    assert list(await store.policy_counts(9)) == []


async def test_counts_say_how_much_is_held(store: Store) -> None:
    await _fill(store)
    await store.put_items([Item("bare", "Bare")], NOW_MS)
    async with store.transaction() as transaction:
        await transaction.put_users([UserRow("u", interactions=5), UserRow("v", interactions=2)])
        await transaction.add_impressions([impression("a", NOW_MS)], NOW_MS)
        await transaction.add_dead_letters([DeadLetter("events", 0, 4, "u", b"?", "bad", NOW_MS)])
    async with store.transaction() as transaction:
        await transaction.add_dead_letters([DeadLetter("events", 0, 4, "u", b"?", "bad", NOW_MS)])
    counts = await store.counts()
    assert (counts.items, counts.items_with_embedding, counts.users) == (6, 5, 2)
    assert (counts.interactions, counts.impressions, counts.dead_letters) == (7, 1, 1)
