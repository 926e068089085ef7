"""Streams for the drift monitor in which it is known what moves, how far, and when."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from origin.drift import Sample

USERS = 5_000
USERS_PER_LOOK = 500
SLATES = 2_000
SLATES_PER_LOOK = 400
POSITIONS = 5
"""What the monitor looks at: the latest so many users and slates, and how many of them are new."""

TRIALS_PER_LOOK = 2_000
CLICK_RATE = 0.05
SPREAD = 0.25
"""Noise around the common taste in each of 64 dimensions: the users' mean has length .45."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What is different from a look on: nothing, by default.

    ``users`` is the share of new users with a taste at right angles to the old one, ``feature`` how
    many standard deviations one feature moves, ``reward`` by which share rewards fall.
    """

    at: int = 0
    users: float = 0.0
    feature: float = 0.0
    reward: float = 0.0


def users_stream(looks: int, shift: Shift, seed: int) -> Iterator[Sample]:
    """Yield looks at users; a tenth of those who are looked at is new at each."""
    rng = np.random.default_rng(seed)
    users = _users(USERS, 0.0, rng)
    for look in range(looks):
        yield Sample(users, {}, 0, 0.0, 0.0)
        moved = shift.users if look + 1 >= shift.at > 0 else 0.0
        new = _users(USERS_PER_LOOK, moved, rng)
        users = np.concatenate([users[USERS_PER_LOOK:], new])


def _users(count: int, moved: float, rng: np.random.Generator) -> NDArray[np.float32]:
    points = rng.normal(scale=SPREAD, size=(count, EMBEDDING_DIMENSION))
    points[np.arange(count), (rng.random(count) < moved).astype(np.int64)] += 1.0
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def features_stream(looks: int, shift: Shift, seed: int) -> Iterator[Sample]:
    """Yield looks at features of several kinds; a fifth of the slates is new at each."""
    rng = np.random.default_rng(seed)
    columns = _features(SLATES, 0.0, rng)
    kept = SLATES_PER_LOOK * POSITIONS
    for look in range(looks):
        yield Sample(np.zeros((0, EMBEDDING_DIMENSION), np.float32), columns, SLATES, 0.0, 0.0)
        moved = shift.feature if look + 1 >= shift.at > 0 else 0.0
        new = _features(SLATES_PER_LOOK, moved, rng)
        columns = {n: np.concatenate([old[kept:], new[n]]) for n, old in columns.items()}


def _features(
    slates: int, moved: float, rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    rows = slates * POSITIONS
    return {
        "normal": rng.normal(size=rows) + moved,
        "skewed": rng.lognormal(size=rows),
        "rare": (rng.random(rows) < 0.02).astype(np.float64),
        # A user's feature stands in all rows of the slate: fewer values than it looks like.
        "per_slate": np.repeat(rng.normal(size=slates), POSITIONS),
    }


def rewards_stream(looks: int, shift: Shift, seed: int) -> Iterator[Sample]:
    """Yield looks at the sums of trials and rewards."""
    rng = np.random.default_rng(seed)
    nobody = np.zeros((0, EMBEDDING_DIMENSION), np.float32)
    earned = 0.0
    for look in range(looks):
        rate = CLICK_RATE * (1.0 - (shift.reward if look >= shift.at > 0 else 0.0))
        earned += float(rng.binomial(TRIALS_PER_LOOK, rate))
        yield Sample(nobody, {}, 0, float(TRIALS_PER_LOOK * (look + 1)), earned)
