"""The ranker's inputs: what a number in a row means."""

import numpy as np
import pytest

from attune.contract.item import Item
from attune.contract.recommendation import RecentInteraction
from attune.covisitation import HALF_LIFE_HOURS, Neighbour
from attune.popularity import MS_PER_HOUR, level, levels, merged_levels
from origin.ranker_features import PAUSE_NEVER, RANKER_FEATURES, RankerInput, ranker_features
from origin.storage.port import ItemRow, empty_embedding

NOW_MS = 1_760_000_000_000
AXES = np.eye(64, dtype=np.float32)


def item(name: str, clicks: int = 0, axis: int | None = None, age_hours: float = 1.0) -> ItemRow:
    stored: tuple[float, ...] = ()
    for _ in range(clicks):
        stored = merged_levels(stored, levels("click", NOW_MS - MS_PER_HOUR))
    return ItemRow(
        Item(name, name),
        first_seen_ms=NOW_MS - round(age_hours * MS_PER_HOUR),
        embedding=None if axis is None else AXES[axis],
        levels=stored,
    )


def features(candidates: list[ItemRow], **known: object) -> dict[str, list[float]]:
    given = {
        "embedding": empty_embedding(),
        "interactions": 0,
        "recent": (),
        "recent_rows": {},
        "candidates": candidates,
        "neighbours": (),
        "now_ms": NOW_MS,
    } | known
    rows = ranker_features(RankerInput(**given))  # pyright: ignore[reportArgumentType]
    assert np.isfinite(rows).all()
    return {name: rows[:, place].tolist() for place, name in enumerate(RANKER_FEATURES)}


def test_popularity_fades_with_its_half_life():
    found = features([item("old hit", 8)])
    assert found["popularity_1h"][0] == pytest.approx(np.log2(4.02), abs=1e-4)
    assert found["popularity_1y"][0] == pytest.approx(np.log2(8.02), abs=1e-3)


def test_an_item_nobody_touched_is_finite_and_last():
    found = features([item("untouched"), item("touched", 1)])
    assert found["popularity_1d"][0] < found["popularity_1d"][1]
    assert found["idle"][0] > found["idle"][1]


def test_nothing_is_known_of_a_new_user():
    found = features([item("a", 3, axis=0)])
    assert found["cosine_user"] == found["cosine_recent"] == [0.0]
    assert (found["experience"], found["pause"]) == ([0.0], [PAUSE_NEVER])


def test_similarity_is_measured_to_the_user_and_to_recent_items():
    past = (RecentInteraction("seen", "click", NOW_MS - 60_000),)
    found = features(
        [item("alike", axis=0), item("unlike", axis=1), item("no embedding")],
        embedding=AXES[0],
        interactions=3,
        recent=past,
        recent_rows={"seen": item("seen", 1, axis=1)},
    )
    assert found["cosine_user"] == [1.0, 0.0, 0.0]
    assert found["cosine_latest"] == [0.0, 1.0, 0.0]
    assert found["experience"] == [2.0] * 3


def test_company_of_recent_items_is_read_at_now():
    past = (RecentInteraction("seen", "click", NOW_MS - 60_000),)
    pair = Neighbour("seen", "companion", level(2.0, NOW_MS, HALF_LIFE_HOURS))
    found = features(
        [item("companion"), item("stranger")],
        recent=past,
        recent_rows={"seen": item("seen")},
        neighbours=(pair,),
    )
    assert found["companionship_latest"][0] == pytest.approx(np.log2(2 / 3 + 1e-3), abs=1e-3)
    assert found["companionship_recent"][1] == pytest.approx(np.log2(1e-3))


def test_no_candidates_are_no_rows():
    assert features([])["age"] == []
