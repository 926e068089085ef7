import pytest

from attune.contract.recommendation import RecentInteraction
from attune.popularity import HALF_LIVES_HOURS, MS_PER_HOUR
from kafka_consumers.counters import covisits, popularity
from tests.unit.kafka_consumers.events import HOUR_MS, batch, interaction


def test_two_clicks_of_one_moment_count_two() -> None:
    (delta,) = popularity([interaction("a"), interaction("a", user_id=None)])
    for level, half_life in zip(delta.levels, HALF_LIVES_HOURS, strict=True):
        assert level == pytest.approx(1.0 + HOUR_MS / (half_life * MS_PER_HOUR))


def test_a_dismissal_makes_nothing_popular() -> None:
    assert popularity([interaction("a", "dismiss")]) == []


def test_items_of_one_batch_and_of_the_users_memory_become_companions() -> None:
    recents = {"ann": [RecentInteraction("old", "click", 0)]}
    pairs = covisits(batch(interaction("a"), interaction("b")), recents)
    assert {(pair.seed_id, pair.item_id) for pair in pairs} == {
        ("old", "a"), ("a", "old"), ("a", "b"), ("b", "a"), ("old", "b"), ("b", "old"),
    }  # fmt: skip


def test_visitors_without_consent_to_a_memory_pair_nothing() -> None:
    assert covisits(batch(interaction("a", user_id=None), interaction("b", user_id=None)), {}) == []
