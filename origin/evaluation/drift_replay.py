"""Looks of the drift monitor at past events: users moved by the product's rule, a plain slate each.

Item embeddings are learned from what came before a stretch and stay for its length, as they do
between two trainings. Each event first asks for a slate of ten (decayed popularity plus the cosine
with the user's embedding), whose features are kept; the item that was taken is its reward.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.event import Interaction
from attune.embedding import EmbeddingRule, step_size
from origin.drift import Sample
from origin.training.item_embeddings import Histories, collaborative_embeddings

EVENTS_PER_LOOK = 100
SLATE = 10
USERS = 5_000
SLATES = 2_000
"""As many users, drawn from all, and latest slates as the monitor looks at."""

HISTORY = 20
"""Latest interactions that place a user before the stretch begins."""

CANDIDATES = 200
HALF_LIFE_MS = 86_400_000.0
RULE = EmbeddingRule()


@dataclass(frozen=True, slots=True)
class Past:
    """Events by the places of their users and items, in the order of time."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    times_ms: NDArray[np.float64]
    items_count: int

    @classmethod
    def of(cls, events: Sequence[Interaction]) -> "Past":
        """Return the columns of the events."""
        users: dict[str, int] = {}
        items: dict[str, int] = {}
        pairs = [
            (
                users.setdefault(event.user_id or event.session_id, len(users)),
                items.setdefault(event.item_id, len(items)),
            )
            for event in events
        ]
        columns = np.array(pairs, dtype=np.int64)
        times = np.array([event.occurred_at_ms for event in events], dtype=np.float64)
        return cls(columns[:, 0], columns[:, 1], times, len(items))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events in the order in which they shall come, and where items stand: (items_count, 64)."""

    past: Past
    start: int
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    vectors: NDArray[np.float64]


def stretch(past: Past, start: int, length: int) -> Stretch:
    """Return the events as they came; those before them teach where the items stand."""
    end = start + length
    before = Histories(past.users[:start], past.items[:start], past.items_count)
    vectors = collaborative_embeddings(before)
    return Stretch(past, start, past.users[start:end], past.items[start:end], vectors)


def shuffled(one: Stretch, seed: int) -> Stretch:
    """Return the stretch in random order: nobody's taste moves, so alarms of it are false ones."""
    order = np.random.default_rng(seed).permutation(len(one.users))
    return replace(one, users=one.users[order], items=one.items[order])


def exchanged(one: Stretch, at: int, seed: int) -> Stretch:
    """Return the stretch with each item exchanged for another one, the same, from ``at`` on."""
    other = np.random.default_rng(seed).permutation(one.past.items_count)
    items = one.items.copy()
    items[at:] = other[items[at:]]
    return replace(one, items=items)


@dataclass(slots=True)
class _Shop:
    """Where users and items stand while a stretch goes on."""

    vectors: NDArray[np.float64]
    levels: NDArray[np.float64]
    users: NDArray[np.float64]
    counts: NDArray[np.int64]
    rng: np.random.Generator
    slates: deque[NDArray[np.float64]] = field(
        default_factory=lambda: deque[NDArray[np.float64]](maxlen=SLATES)
    )
    trials: float = 0.0
    earned: float = 0.0

    def learn(self, user: int, item: int) -> None:
        """Move the user by the kernel's step."""
        vector = self.vectors[item]
        if vector.any():
            step = step_size("purchase", 0.0, int(self.counts[user]), RULE)
            moved = self.users[user] + step * (vector - self.users[user])
            self.users[user] = moved / max(float(np.sqrt(moved @ moved)), 1e-12)
        self.counts[user] += 1
        self.levels[item] += 1.0

    def ask(self, user: int, item: int, popular: NDArray[np.int64]) -> None:
        """Show a slate; the item that is taken next is its reward."""
        cosines = self.vectors[popular] @ self.users[user]
        popularity = np.log1p(self.levels[popular])
        shown = np.argsort(-(popularity + cosines), kind="stable")[:SLATE]
        met = np.full(SLATE, float(self.counts[user]))
        self.slates.append(np.stack([cosines[shown], popularity[shown], met], axis=1))
        self.trials += SLATE
        self.earned += float(item in popular[shown])

    def sample(self) -> Sample:
        """Return what the monitor would see now."""
        known = np.flatnonzero(self.counts)
        drawn = self.rng.choice(known, min(USERS, len(known)), replace=False)
        table = np.concatenate(self.slates)  # (slates * 10, 3)
        names = ("cosine", "popularity", "user_interactions")
        columns: Mapping[str, NDArray[np.float64]] = {
            name: table[:, place] for place, name in enumerate(names)
        }
        users = self.users[drawn].astype(np.float32)
        return Sample(users, columns, len(self.slates), self.trials, self.earned)


def looks(one: Stretch) -> Iterator[Sample]:
    """Yield what the monitor sees after each hundred events of the stretch."""
    shop, times_ms = _opened(one), one.past.times_ms[one.start :]
    for first in range(0, len(one.users) - EVENTS_PER_LOOK + 1, EVENTS_PER_LOOK):
        elapsed_ms = times_ms[first] - times_ms[max(first - EVENTS_PER_LOOK, 0)]
        shop.levels *= 0.5 ** (elapsed_ms / HALF_LIFE_MS)
        popular = np.argsort(-shop.levels, kind="stable")[:CANDIDATES]
        for index in range(first, first + EVENTS_PER_LOOK):
            user, item = int(one.users[index]), int(one.items[index])
            shop.ask(user, item, popular)
            shop.learn(user, item)
        if len(shop.slates) == SLATES:
            yield shop.sample()


def _opened(one: Stretch) -> _Shop:
    past, start = one.past, one.start
    ages = (past.times_ms[start] - past.times_ms[:start]) / HALF_LIFE_MS
    levels = np.bincount(past.items[:start], 0.5**ages, past.items_count).astype(np.float64)
    users_count = int(past.users.max()) + 1
    nobody = np.zeros((users_count, EMBEDDING_DIMENSION))
    counts = np.zeros(users_count, np.int64)
    shop = _Shop(one.vectors, levels.copy(), nobody, counts, np.random.default_rng(start))
    remaining = np.bincount(past.users[:start], minlength=users_count)
    for user, item in zip(past.users[:start].tolist(), past.items[:start].tolist(), strict=True):
        if remaining[user] <= HISTORY:
            shop.learn(user, item)
        remaining[user] -= 1
    shop.levels[:] = levels
    return shop
