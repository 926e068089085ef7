import random

import numpy as np
import pytest

from attune.contract.event import ACTIONS, Interaction
from attune.contract.recommendation import RecentInteraction
from attune.covisitation import COUNTED_MAX, SITTING_MS, pairs
from attune.popularity import HALF_LIVES_HOURS, MS_PER_HOUR, merged
from kafka_consumers.counters import Counters, popularity
from origin.storage.memory import MemoryStore
from origin.storage.user_columns import recent_bytes
from tests.unit.kafka_consumers.events import HOUR_MS, batch, interaction

Covisits = dict[tuple[str, str], float]


async def counted(
    store: MemoryStore, *events: Interaction, counters: Counters | None = None
) -> Covisits:
    """Count the events as one batch; return all pairs with their levels."""
    async with store.transaction() as transaction:
        await (counters or Counters()).process(batch(*events), transaction)
    met = store._tables.covisits
    return {(seed, item): level for seed, items in met.items() for item, level in items.items()}


def test_two_clicks_of_one_moment_count_two() -> None:
    (delta,) = popularity(batch(interaction("a"), interaction("a", user_id=None)))
    for level, half_life in zip(delta.levels, HALF_LIVES_HOURS, strict=True):
        assert level == pytest.approx(1.0 + HOUR_MS / (half_life * MS_PER_HOUR))


def test_a_dismissal_makes_nothing_popular() -> None:
    assert popularity(batch(interaction("a", "dismiss"))) == []


async def test_items_of_one_batch_and_of_the_users_memory_become_companions() -> None:
    store = MemoryStore()
    async with store.transaction() as transaction:
        recent = recent_bytes((RecentInteraction("old", "click", 0),))
        await transaction.put_recent_items({"ann": recent})
    found = await counted(store, interaction("a"), interaction("b"))
    assert found.keys() == {
        ("old", "a"), ("a", "old"), ("a", "b"), ("b", "a"), ("old", "b"), ("b", "old"),
    }  # fmt: skip


async def test_visitors_without_consent_to_a_memory_pair_nothing() -> None:
    events = interaction("a", user_id=None), interaction("b", user_id=None)
    assert await counted(MemoryStore(), *events) == {}


def visit(count: int, seed: int = 9) -> list[Interaction]:
    """Return interactions of some users with few items, so that everything comes again."""
    rng = random.Random(seed)
    return [
        interaction(
            f"item-{rng.randrange(9)}",
            rng.choice(ACTIONS),
            rng.choice(("ann", "bob", "cy", None)),
            at_ms=HOUR_MS * 10**5 + number * rng.randrange(SITTING_MS // 2),
            event_id=str(number),
        )
        for number in range(count)
    ]


def one_by_one(events: list[Interaction]) -> Covisits:
    """Return what the kernel's rule counts."""
    sums: Covisits = {}
    recents: dict[str, list[RecentInteraction]] = {}
    for event in events:
        if event.user_id is None:
            continue
        recent = recents.setdefault(event.user_id, [])
        for pair in pairs(recent, event.item_id, event.action, event.occurred_at_ms):
            key = pair.seed_id, pair.item_id
            sums[key] = merged(sums[key], pair.level) if key in sums else pair.level
        recent.append(RecentInteraction(event.item_id, event.action, event.occurred_at_ms))
    return sums


@pytest.mark.parametrize("sizes", [[200], [1] * 200, [3, 190, 7], [100, 100]])
async def test_batches_pair_as_the_kernels_rule_does_one_by_one(sizes: list[int]) -> None:
    events = visit(200)
    store, counters, start = MemoryStore(), Counters(), 0
    found: Covisits = {}
    for place, size in enumerate(sizes):
        if place % 3 == 2:
            counters.forget()
        found = await counted(store, *events[start : start + size], counters=counters)
        start += size
    expected = one_by_one(events)
    assert found.keys() == expected.keys()
    for key, level in expected.items():
        assert found[key] == pytest.approx(level, abs=1e-9)


async def test_what_a_processor_forgot_it_reads_again() -> None:
    store, counters = MemoryStore(), Counters()
    recent = tuple(RecentInteraction(f"old-{n}", "click", n) for n in range(9))
    async with store.transaction() as transaction:
        await transaction.put_recent_items({"ann": recent_bytes(recent)})
    first = await counted(store, interaction("a"), counters=counters)
    assert {seed for seed, item in first if item == "a"} == {
        f"old-{n}" for n in range(9 - COUNTED_MAX, 9)
    }
    counters.forget()
    assert np.all(counters.last.items == -1)
    again = await counted(store, interaction("b"), counters=counters)
    assert {seed for seed, item in again if item == "b"} == {
        "a",
        "old-5",
        "old-6",
        "old-7",
        "old-8",
    }
