"""What attune is measured against: simple live methods that score the whole catalogue.

All of them learn from every event like attune does. The blends have one weight each, chosen on the
end of the warm-up: a baseline that nobody tuned is easily beaten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.event import Interaction
from attune.covisitation import companions
from attune.popularity import LASTING, MS_PER_HOUR
from origin.ranker_features import latest_items
from origin.storage.port import Embedding, ServingStore

Vector = NDArray[np.float64]

ALL_TIME = "all_time_popularity"
DECAYED = "decayed_popularity"
COVISITATION = "decayed_popularity_covisitation"
DAILY = "daily_embeddings"
STREAMING = "streaming_embeddings"
BASELINES = (ALL_TIME, DECAYED, COVISITATION, DAILY, STREAMING)

HALF_LIFE_MS = 24 * MS_PER_HOUR
"""One day: what is popular now (measured best as a single half-life)."""

BLENDS: Mapping[str, tuple[float, ...]] = {
    COVISITATION: (0.05, 0.1, 0.2, 0.3, 0.5, 0.8),
    DAILY: (0.5, 1.0, 2.0, 4.0, 8.0),
    STREAMING: (0.5, 1.0, 2.0, 4.0, 8.0),
}
"""Weights that are tried: of the share of company beside the share of decayed popularity, and of
the cosine beside log2 of the decayed count."""

NEIGHBOURS = 40
ROWS_AT_FIRST = 1_024


@dataclass(slots=True)
class Daily:
    """A user's embedding as of the last midnight."""

    day: int
    embedding: Embedding


@dataclass(slots=True)
class Counts:
    """Columns over the catalogue, in the order in which items appeared."""

    places: dict[str, int] = field(default_factory=dict[str, int])
    total: Vector = field(default_factory=lambda: np.zeros(ROWS_AT_FIRST))
    level: Vector = field(default_factory=lambda: np.full(ROWS_AT_FIRST, -np.inf))

    def add(self, item_id: str, at_ms: int) -> None:
        """Count one event."""
        place = self.places.setdefault(item_id, len(self.places))
        if place == len(self.total):
            self.total = np.concatenate([self.total, np.zeros(place)])
            self.level = np.concatenate([self.level, np.full(place, -np.inf)])
        self.total[place] += 1.0
        self.level[place] = np.logaddexp2(self.level[place], at_ms / HALF_LIFE_MS)


class Baselines:
    """The simple methods over one replay's store."""

    def __init__(self, store: ServingStore) -> None:
        self._store = store
        self._counts = Counts()
        self._daily: dict[str, Daily] = {}
        self._embeddings = np.zeros((0, EMBEDDING_DIMENSION))

    def place(self, item_id: str) -> int | None:
        """Return the item's place in the columns, None for one that never appeared."""
        return self._counts.places.get(item_id)

    def learn(self, event: Interaction) -> None:
        """Count the event."""
        self._counts.add(event.item_id, event.occurred_at_ms)

    def set_embeddings(self, embeddings: NDArray[np.float64]) -> None:
        """Use these item embeddings from now on, rows in the order of appearance."""
        self._embeddings = embeddings

    async def parts(self, user_id: str, now_ms: int, day: int) -> dict[str, Vector]:
        """Return what each method goes by: two counts, shares of company, two cosines."""
        size = len(self._counts.places)
        row = (await self._store.user_state(user_id)).row
        daily = self._daily.get(user_id)
        if daily is None or daily.day != day:
            daily = self._daily[user_id] = Daily(day, row.embedding)
        decayed = np.exp2(np.maximum(self._counts.level[:size] - now_ms / HALF_LIFE_MS, -40.0))
        return {
            ALL_TIME: self._counts.total[:size],
            DECAYED: np.log2(decayed + 0.02),
            COVISITATION: await self._company(latest_items(row.recent), now_ms, size),
            DAILY: self._cosines(daily.embedding, size),
            STREAMING: self._cosines(row.embedding, size),
        }

    async def _company(self, recent_ids: Sequence[str], now_ms: int, size: int) -> Vector:
        shares = np.zeros(size)
        if recent_ids:
            pairs = await self._store.together(recent_ids, NEIGHBOURS)
            rows = await self._store.item_rows(recent_ids)
            levels = {item_id: row.levels[LASTING] for item_id, row in rows.items() if row.levels}
            found = companions(recent_ids, pairs, levels, now_ms)
            places = [self._counts.places[item_id] for item_id in found]
            shares[places] = list(found.values())
        return shares / max(float(shares.sum()), 1e-12)

    def _cosines(self, embedding: Embedding, size: int) -> Vector:
        cosines = np.zeros(size)
        if embedding.any():
            cosines[: len(self._embeddings)] = self._embeddings @ embedding
        return cosines


def blended(parts: Mapping[str, Vector], name: str, weight: float) -> Vector:
    """Return a method's scores of the catalogue: (I,)."""
    if name in (ALL_TIME, DECAYED):
        return parts[name]
    if name == COVISITATION:
        decayed = np.exp2(parts[DECAYED])
        return (1.0 - weight) * decayed / decayed.sum() + weight * parts[name]
    return parts[DECAYED] + weight * parts[name]


def rank_in(scores: Vector, target: int, seen: NDArray[np.int64]) -> int:
    """Return how many unseen items stand before the target; of equals the older item wins.

    >>> rank_in(np.array([3.0, 9.0, 5.0, 5.0]), 3, np.array([1]))
    1
    """
    own = scores[target]
    before = int((scores > own).sum()) + int((scores[:target] == own).sum())
    hidden = scores[seen]
    return before - int((hidden > own).sum()) - int(((hidden == own) & (seen < target)).sum())
