import itertools

import pytest

from attune.contract.event import Event, Impression
from attune.contract.outcome import read_outcome
from attune.examination import Examination
from attune.reward import REWARDS, WINDOW_MS
from kafka_consumers.closing import SlateCloser
from kafka_consumers.rewards import RewardJoin, Rewards, kept_interactions
from origin.packing import unpacked
from origin.storage.memory import MemoryStore
from origin.storage.port import RewardCount
from tests.unit.kafka_consumers.events import HOUR_MS, batch, impression, interaction

SHOWN = impression("slate", "a", "b")
CLICK = interaction("a", "click", slate_id="slate")
PURCHASE = interaction("a", "purchase", slate_id="slate")
HALF_SEEN = Examination((1.0, 0.5), appeal=0.0)


async def learned(
    store: MemoryStore, *events: Event, processor: Rewards | None = None
) -> dict[str, RewardCount]:
    """Learn the events, each in a transaction of its own; return the counts after them."""
    for event in events:
        async with store.transaction() as transaction:
            await (processor or Rewards()).process(batch(event), transaction)
    return {item_id: count for (_, item_id), count in store._tables.rewards.items()}


@pytest.mark.parametrize("events", [*itertools.permutations((SHOWN, CLICK, PURCHASE))])
async def test_an_item_earns_its_best_reward_in_whatever_order_events_come(
    events: tuple[Event, ...],
) -> None:
    expected = {
        "a": RewardCount("a", "mobile", 1.0, pytest.approx(REWARDS["purchase"])),
        "b": RewardCount("b", "mobile", 1.0, 0.0),
    }
    assert await learned(MemoryStore(), *events) == expected
    store = MemoryStore()
    async with store.transaction() as transaction:
        await Rewards().process(batch(*events), transaction)
    assert {key[1]: count for key, count in store._tables.rewards.items()} == expected


async def test_what_comes_again_under_another_id_earns_nothing_again() -> None:
    again = impression("slate", "a", "b", at_ms=HOUR_MS + 1)
    found = await learned(MemoryStore(), SHOWN, CLICK, again, CLICK)
    assert found["a"] == RewardCount("a", "mobile", 1.0, REWARDS["click"])


async def test_an_item_or_a_slate_that_was_not_shown_earns_nothing() -> None:
    stranger = interaction("c", "purchase", slate_id="slate")
    forged = interaction("a", "purchase", slate_id="other")
    found = await learned(MemoryStore(), SHOWN, stranger, forged)
    assert found["a"].reward == 0.0
    assert "c" not in found


@pytest.mark.parametrize("order", [1, -1])
async def test_only_what_happens_within_the_window_is_credited(order: int) -> None:
    punctual = interaction("a", slate_id="slate", at_ms=HOUR_MS + WINDOW_MS)
    late = interaction("b", slate_id="slate", at_ms=HOUR_MS + WINDOW_MS + 1)
    found = await learned(MemoryStore(), *[SHOWN, punctual, late][::order])
    assert (found["a"].reward, found["b"].reward) == (REWARDS["click"], 0.0)


@pytest.mark.parametrize("order", [1, -1])
async def test_an_ignored_showing_counts_as_far_as_its_position_is_examined(order: int) -> None:
    events: list[Event] = [
        impression("1", "a", "b"), impression("2", "a", "b"),
        interaction("b", slate_id="2"), interaction("a", "dismiss", slate_id="1"),
    ]  # fmt: skip
    found = await learned(MemoryStore(), *events[::order], processor=Rewards(examination=HALF_SEEN))
    assert found["a"] == RewardCount("a", "mobile", pytest.approx(2.0), 0.0)
    assert found["b"] == RewardCount("b", "mobile", pytest.approx(1.5), REWARDS["click"])


def test_a_dismissal_proves_that_the_item_was_looked_at() -> None:
    join = RewardJoin({}, examination=HALF_SEEN)
    join.show(SHOWN)
    (dismissal,) = kept_interactions([interaction("b", "dismiss", slate_id="slate")])
    join.act(dismissal)
    assert {count.item_id: count.impressions for count in join.deltas()} == {"a": 1.0, "b": 1.0}


async def close(store: MemoryStore, now_ms: int) -> dict[str, float]:
    """Close what is due; return the rewards that went to the topic, and empty the outbox."""
    await SlateCloser(store).run(now_ms)
    async with store.transaction() as transaction:
        entries = await transaction.outbox(99)
        await transaction.drop_outbox([entry.outbox_id for entry in entries])
    records = [read_outcome(unpacked(one)) for entry in entries for one in entry.records]
    return {record.item_id: record.reward for record in records}


async def test_a_slate_sends_its_outcomes_once_when_its_window_is_over() -> None:
    store = MemoryStore()
    await learned(store, CLICK, SHOWN)
    assert await close(store, HOUR_MS + WINDOW_MS - 1) == {}
    assert await close(store, HOUR_MS + WINDOW_MS) == {"a": REWARDS["click"], "b": 0.0}
    assert await close(store, HOUR_MS + 9 * WINDOW_MS) == {}


async def test_an_interaction_that_arrives_after_the_closing_sends_a_better_outcome() -> None:
    store = MemoryStore()
    await learned(store, SHOWN, CLICK)
    await close(store, HOUR_MS + WINDOW_MS)
    found = await learned(store, interaction("a", "view", slate_id="slate"), PURCHASE)
    assert found["a"].reward == pytest.approx(REWARDS["purchase"])
    assert await close(store, HOUR_MS + WINDOW_MS) == {"a": REWARDS["purchase"]}


async def test_nothing_is_kept_of_a_visitor_without_user_and_slate() -> None:
    store = MemoryStore()
    await learned(store, interaction("a", user_id=None))
    assert store._tables.outcomes.interactions == []


def test_an_item_that_stands_twice_in_a_slate_counts_once() -> None:
    twice: Impression = impression("slate", "a", "b", "a")
    join = RewardJoin({}, examination=Examination((1.0, 1.0, 0.2)))
    join.show(twice)
    assert {count.item_id: count.impressions for count in join.deltas()} == {"a": 1.0, "b": 1.0}
