"""The deep ranker's inputs: one row of float32 for each candidate of a request.

Everything in a row is something that serving has at hand anyway: the item's popularity levels and
embedding, the pairs that co-visitation named, the user's row. So one function fills the rows in
training, where history is replayed, and in serving, and the two cannot drift apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attune.contract.recommendation import RecentInteraction
from attune.covisitation import HALF_LIFE_HOURS, PRIOR, RECENT_DECAY
from attune.popularity import HALF_LIVES_HOURS, LASTING, MS_PER_HOUR, WEIGHTS
from origin.storage.port import Embedding, ItemRow, Neighbour

FEATURE_VERSION = 1
"""Raised with any change of meaning; a server refuses a model of another version."""

RANKER_FEATURES = (
    "popularity_1h",
    "popularity_6h",
    "popularity_1d",
    "popularity_7d",
    "popularity_30d",
    "popularity_1y",
    "age",
    "idle",
    "companionship_recent",
    "companionship_latest",
    "cosine_user",
    "cosine_recent",
    "cosine_latest",
    "experience",
    "pause",
)

Rows = NDArray[np.float32]

RECENT_MAX = 20
"""Recent items that company is looked up for."""

RECENT_COSINE_MAX = 5
"""Recent items that similarity is measured to; the mind of a visitor is short."""

FLOOR = 0.02
"""Added to counts before the logarithm: below a fiftieth of an event, "how little" is noise."""

PAUSE_NEVER = 20.0
"""log2 of minutes since a user without history was last here: two years."""


@dataclass(frozen=True, slots=True)
class RankerInput:
    """What a request's candidates are ranked by.

    ``recent`` are the user's latest interactions, those of the session included, oldest first;
    ``recent_rows`` holds what is known of their items. ``neighbours`` are the pairs that start at
    them.
    """

    embedding: Embedding
    interactions: int
    recent: Sequence[RecentInteraction]
    recent_rows: Mapping[str, ItemRow]
    candidates: Sequence[ItemRow]
    neighbours: Iterable[Neighbour]
    now_ms: int


def ranker_features(given: RankerInput) -> Rows:
    """Return one row of ``RANKER_FEATURES`` for each candidate: (N, 15) float32."""
    count = len(given.candidates)
    rows = np.zeros((count, len(RANKER_FEATURES)), dtype=np.float32)  # (N, F)
    if count == 0:
        return rows
    latest_first = latest_items(given.recent)
    readings = _readings(given.candidates, given.now_ms)  # (N, H)
    rows[:, 0:6] = np.log2(np.exp2(np.maximum(readings, -40.0)) + FLOOR)
    rows[:, 6] = np.log2(_age_hours(given.candidates, given.now_ms) + 0.05)
    rows[:, 7] = np.log2(np.clip(-readings[:, 0], 0.0, 8760.0) + 0.05)
    rows[:, 8:10] = _companionship(given, latest_first)
    rows[:, 10:13] = _cosines(given, latest_first)
    rows[:, 13] = np.log2(given.interactions + 1.0)
    rows[:, 14] = _pause(given)
    return rows


def latest_items(recent: Sequence[RecentInteraction]) -> list[str]:
    """Return the items of the interactions that say something good of them, latest first, once."""
    ids = dict.fromkeys(past.item_id for past in reversed(recent) if past.action in WEIGHTS)
    return list(ids)[:RECENT_MAX]


_HALF_LIVES_MS = np.array(HALF_LIVES_HOURS) * MS_PER_HOUR
_UNTOUCHED = (-1e9,) * len(HALF_LIVES_HOURS)


def _readings(candidates: Sequence[ItemRow], now_ms: int) -> NDArray[np.float64]:
    stored = np.array([row.levels or _UNTOUCHED for row in candidates])  # (N, H)
    return stored - now_ms / _HALF_LIVES_MS


def _age_hours(candidates: Sequence[ItemRow], now_ms: int) -> NDArray[np.float64]:
    first = np.array([row.first_seen_ms for row in candidates], dtype=np.float64)  # (N,)
    return np.maximum(now_ms - first, 0.0) / MS_PER_HOUR


def _companionship(given: RankerInput, latest_first: Sequence[str]) -> NDArray[np.float64]:
    """Return (N, 2): summed over the recent items with decay, and of the latest one alone."""
    place = {item_id: index for index, item_id in enumerate(latest_first)}
    column = {row.item.item_id: index for index, row in enumerate(given.candidates)}
    found = [
        (place[pair.seed_id], column[pair.item_id], pair.level)
        for pair in given.neighbours
        if pair.item_id in column and pair.seed_id in place
    ]
    shares = np.zeros((len(given.candidates), 2))
    if found:
        seeds, items, levels = (np.array(part) for part in zip(*found, strict=True))
        scale = given.now_ms / (HALF_LIFE_HOURS * MS_PER_HOUR)
        seen = np.array([_lasting(given.recent_rows.get(seed)) for seed in latest_first]) - scale
        share = np.exp2(levels - scale) / (np.exp2(np.maximum(seen, -40.0)) + PRIOR)[seeds]
        np.add.at(shares[:, 0], items, share * RECENT_DECAY**seeds)
        np.add.at(shares[:, 1], items, np.where(seeds == 0, share, 0.0))
    return np.log2(shares + 1e-3)


def _lasting(row: ItemRow | None) -> float:
    return row.levels[LASTING] if row is not None and row.levels else -1e9


def _cosines(given: RankerInput, latest_first: Sequence[str]) -> NDArray[np.float32]:
    """Return (N, 3): with the user, the best with a recent item, with the latest one."""
    known = [
        row.embedding
        for item_id in latest_first[:RECENT_COSINE_MAX]
        if (row := given.recent_rows.get(item_id)) is not None and row.embedding is not None
    ]
    cosines = np.zeros((len(given.candidates), 3), dtype=np.float32)
    if not known and not given.embedding.any():
        return cosines
    blank = np.zeros_like(given.embedding)
    items = np.stack(
        [blank if row.embedding is None else row.embedding for row in given.candidates]
    )
    cosines[:, 0] = items @ given.embedding  # (N, D) @ (D,)
    if known:
        recent = items @ np.stack(known).T  # (N, D) @ (D, R)
        cosines[:, 1] = recent.max(axis=1)
        cosines[:, 2] = recent[:, 0]
    return cosines


def _pause(given: RankerInput) -> float:
    if not given.recent:
        return PAUSE_NEVER
    minutes = max(given.now_ms - given.recent[-1].occurred_at_ms, 0) / 60_000
    return min(float(np.log2(minutes + 0.5)), PAUSE_NEVER)
