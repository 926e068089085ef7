"""What the feature store's history promises: no row knows what came after its decision."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attune.contract.event import ACTIONS, Action
from attune.reward import REWARDS, WINDOW_MS
from origin.storage.database import connection_pool
from origin.storage.memory import MemoryStore
from origin.storage.memory_offline import MemoryOffline
from origin.storage.offline import OfflineStore
from origin.storage.outcomes import KeptInteraction
from origin.storage.postgres import PostgresStore
from origin.storage.postgres_offline import PostgresOffline
from origin.training_set import LABELS, Row, pages
from tests.contract.test_store_outcomes import NOW_MS, impression, served

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class History:
    """A store with the reader of its history."""

    store: PostgresStore | MemoryStore
    offline: OfflineStore

    async def keep(self, *acts: KeptInteraction) -> None:
        async with self.store.transaction() as transaction:
            await transaction.add_interactions(list(acts), NOW_MS)

    async def rows(self, from_ms: int = 0, to_ms: int = NOW_MS * 2) -> list[Row]:
        return [row async for _, page in pages(self.offline, from_ms, to_ms) for row in page]


@pytest.fixture(params=["postgres", "memory"])
async def history(request: pytest.FixtureRequest) -> AsyncIterator[History]:
    if request.param == "memory":
        yield memory()
        return
    async with connection_pool(request.getfixturevalue("postgres_url"), 4) as pool:
        await pool.execute("TRUNCATE impressions, interactions, open_slates, served_slates")
        yield History(PostgresStore(pool), PostgresOffline(pool))


def memory() -> History:
    store = MemoryStore()
    return History(store, MemoryOffline(store._tables.outcomes))


def act(
    item_id: str, at_ms: int, slate_id: str | None = None, action: Action = "click",
    user_id: str = "ann",
) -> KeptInteraction:  # fmt: skip
    return KeptInteraction(user_id, slate_id, item_id, action, at_ms)


async def two_visits(history: History) -> None:
    """Keep a slate that was served, seen and clicked, and one that was never seen."""
    async with history.store.transaction() as transaction:
        await transaction.add_served([served("first"), served("unseen", None, NOW_MS + 1)], NOW_MS)
        await transaction.add_impressions([impression("first", NOW_MS + 500)], NOW_MS)
    await history.keep(
        act("old", NOW_MS - 9 * MINUTE_MS),
        act("older", NOW_MS - 10 * MINUTE_MS, action="purchase"),
        act("old", NOW_MS - MINUTE_MS, user_id="bob"),
        act("i0", NOW_MS + MINUTE_MS, "first"),
        act("i0", NOW_MS + 2 * MINUTE_MS, "first", "cart"),
        act("i1", NOW_MS + 500 + WINDOW_MS + 1, "first"),
    )


async def test_a_row_holds_what_was_logged_known_and_done(history: History) -> None:
    await two_visits(history)
    clicked, ignored, *unseen = await history.rows()
    assert (clicked["slate_id"], clicked["seen"], clicked["user_id"]) == ("first", True, "ann")
    assert (clicked["item_id"], clicked["position"], clicked["propensity"]) == ("i0", 0, 0.5)
    assert (clicked["features"], clicked["feature_names"]) == ([1.0, 2.0], "a,b")
    assert (clicked["click"], clicked["cart"], clicked["reward"]) == (True, True, REWARDS["cart"])
    assert clicked["sequence"] == [
        {"item_id": "older", "action": "purchase", "occurred_at_ms": NOW_MS - 10 * MINUTE_MS},
        {"item_id": "old", "action": "click", "occurred_at_ms": NOW_MS - 9 * MINUTE_MS},
    ]
    assert (ignored["item_id"], ignored["explored"], ignored["reward"]) == ("i1", True, 0.0)
    assert [(row["seen"], row["sequence"]) for row in unseen] == [(False, []), (False, [])]


async def test_a_slate_that_only_the_browser_told_of_has_rows_without_features(
    history: History,
) -> None:
    async with history.store.transaction() as transaction:
        await transaction.add_impressions([impression("imported")], NOW_MS)
    first, _ = await history.rows()
    assert (first["seen"], first["propensity"], first["features"]) == (True, 0.5, None)


async def test_pages_name_every_slate_of_the_range_once(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("origin.training_set.SLATES_PER_PAGE", 3)
    async with history.store.transaction() as transaction:
        slates = [served(f"s{number}", "ann", NOW_MS + number // 4) for number in range(12)]
        await transaction.add_served(slates, NOW_MS)
        await transaction.add_impressions([impression("browser", NOW_MS + 1)], NOW_MS)
        await transaction.add_impressions([impression("s5", NOW_MS + 1)], NOW_MS)
    assert await history.offline.count_decisions(NOW_MS, NOW_MS + 2) == 9
    named = [row["slate_id"] for row in await history.rows(NOW_MS, NOW_MS + 2)][::2]
    assert sorted(named, key=str) == sorted([*(f"s{n}" for n in range(8)), "browser"])


def without_labels(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in (*LABELS, "reward")}


later = st.builds(
    act,
    item_id=st.sampled_from(["i0", "i1", "old"]),
    at_ms=st.integers(NOW_MS, NOW_MS + 3 * WINDOW_MS),
    slate_id=st.sampled_from([None, "first", "unseen"]),
    action=st.sampled_from(ACTIONS),
)
"""Whatever happens at the decision or after it."""

wrong_clock = st.builds(
    act,
    item_id=st.sampled_from(["i0", "i1"]),
    at_ms=st.integers(NOW_MS - WINDOW_MS, NOW_MS),
    slate_id=st.sampled_from(["first", "unseen", "browser"]),
)
"""What was done with a slate of the decision's time or later, by a device whose clock is slow."""


@given(st.lists(later | wrong_clock, max_size=6))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_later_event_changes_more_of_a_row_than_its_labels(
    history: History, events: list[KeptInteraction]
) -> None:
    if isinstance(history.store, PostgresStore):
        await history.store._pool.execute(
            "TRUNCATE impressions, interactions, open_slates, served_slates"
        )
    else:
        history = memory()
    await two_visits(history)
    async with history.store.transaction() as transaction:
        shown = replace(impression("browser"), occurred_at_ms=NOW_MS + MINUTE_MS)
        await transaction.add_impressions([shown], NOW_MS)
    before = (await history.rows())[:4]
    await history.keep(*events)
    after = (await history.rows())[:4]
    assert [without_labels(row) for row in after] == [without_labels(row) for row in before]
