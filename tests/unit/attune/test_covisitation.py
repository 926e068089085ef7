"""Company: what one interaction adds to pairs, and how a user's companions are found."""

from attune.contract.recommendation import RecentInteraction
from attune.covisitation import (
    COUNTED_MAX,
    HALF_LIFE_HOURS,
    Neighbour,
    companions,
    companionship,
    pairs,
)
from attune.popularity import MS_PER_HOUR, NOTHING, level


def clicks(*item_ids: str, every_ms: int = 60_000) -> list[RecentInteraction]:
    return [RecentInteraction(one, "click", place * every_ms) for place, one in enumerate(item_ids)]


def weights(found: list[Neighbour]) -> dict[tuple[str, str], float]:
    return {(pair.seed_id, pair.item_id): 2.0**pair.level for pair in found}


def test_company_is_mutual_and_succession_is_not():
    found = weights(pairs(clicks("part one"), "part two", "click", 60_000))
    assert found["part one", "part two"] > found["part two", "part one"] > 0


def test_after_a_long_pause_both_directions_weigh_alike():
    found = weights(pairs(clicks("a"), "b", "click", 5 * MS_PER_HOUR))
    assert found["a", "b"] == found["b", "a"]


def test_nearer_items_are_closer_company():
    found = weights(pairs(clicks("far", "near", every_ms=2 * MS_PER_HOUR), "new", "click", 10**8))
    assert found["near", "new"] > found["far", "new"]


def test_an_item_is_no_company_of_itself_and_counts_once():
    found = pairs(clicks("a", "b", "a", "b"), "b", "click", 10**6)
    assert sorted((pair.seed_id, pair.item_id) for pair in found) == [("a", "b"), ("b", "a")]


def test_the_number_of_pairs_is_bounded():
    many = clicks(*(f"item-{n}" for n in range(200)))
    assert len(pairs(many, "new", "click", 10**8)) == 2 * COUNTED_MAX


def test_what_was_dismissed_makes_no_company():
    assert pairs(clicks("a"), "b", "dismiss", 0) == []
    assert pairs([RecentInteraction("a", "dismiss", 0)], "b", "click", 0) == []


def test_a_bestseller_is_a_weaker_reason_than_a_rarity():
    pair = level(2.0, 0, HALF_LIFE_HOURS)
    bestseller, rarity = level(500.0, 0, HALF_LIFE_HOURS), level(3.0, 0, HALF_LIFE_HOURS)
    assert companionship(pair, rarity, 0) > companionship(pair, bestseller, 0)
    assert companionship(NOTHING, rarity, 0) == 0.0


def test_the_latest_item_speaks_loudest():
    pair = level(1.0, 0, HALF_LIFE_HOURS)
    found = [Neighbour("latest", "x", pair), Neighbour("earlier", "y", pair)]
    scores = companions(["latest", "earlier"], found, {}, 0)
    assert scores["x"] > scores["y"] > 0
