import itertools

import pytest

from attune.contract.event import Event
from attune.reward import REWARDS
from kafka_consumers.rewards import RewardJoin
from origin.storage.port import RewardCount
from tests.unit.kafka_consumers.events import impression, interaction

SHOWN = impression("slate", "a", "b")
CLICK = interaction("a", "click", slate_id="slate")
PURCHASE = interaction("a", "purchase", slate_id="slate")


def counts(*events: Event) -> dict[str, RewardCount]:
    join = RewardJoin({})
    for event in events:
        join.add(event)
    return {count.item_id: count for count in join.deltas()}


@pytest.mark.parametrize("events", [*itertools.permutations((SHOWN, CLICK, PURCHASE))])
def test_an_item_earns_its_best_reward_in_whatever_order_events_come(
    events: tuple[Event, ...],
) -> None:
    assert counts(*events) == {
        "a": RewardCount("a", "mobile", 1.0, pytest.approx(REWARDS["purchase"])),
        "b": RewardCount("b", "mobile", 1.0, 0.0),
    }


def test_what_was_earned_in_an_earlier_batch_is_not_earned_again() -> None:
    earlier = RewardJoin({})
    for event in (SHOWN, CLICK):
        earlier.add(event)
    later = RewardJoin({"slate": SHOWN}, earlier.raised())
    for event in (SHOWN, CLICK, PURCHASE):
        later.add(event)
    (count,) = later.deltas()
    assert count == RewardCount("a", "mobile", 0.0, REWARDS["purchase"] - REWARDS["click"])


def test_an_item_or_a_slate_that_was_not_shown_earns_nothing() -> None:
    stranger = interaction("c", "purchase", slate_id="slate")
    forged = interaction("a", "purchase", slate_id="other")
    assert counts(SHOWN, stranger, forged)["a"].reward == 0.0
    assert "c" not in counts(SHOWN, stranger, forged)
