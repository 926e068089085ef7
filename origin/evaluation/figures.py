"""From ranks to figures: NDCG@10 and HR@10 by stratum, with intervals that know of users.

One user's events resemble each other, so they are no independent witnesses. The standard error adds
up each user's deviations before it squares them (a cluster-robust variance; Liang & Zeger, 1986):

    se = sqrt(sum over users of (sum of the user's (value - mean)) ** 2) / n
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

K = 10
MISS = -1
"""Rank of an event whose item was not ranked at all."""

Z_95 = 1.959964
STRATA = ("overall", "new", "1_to_4", "5_plus")
"""By how many events the user had before this one."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """What came of each evaluated event: the item's rank per method, the user and his experience.

    Ranks count from 0; ``MISS`` is a miss.
    """

    methods: Mapping[str, NDArray[np.int64]]
    users: NDArray[np.int64]
    experience: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One method in one stratum."""

    ndcg: Estimate
    hit_rate: Estimate
    events: int


@dataclass(frozen=True, slots=True)
class Lead:
    """How far a method is ahead of the best of the others by NDCG, event by event."""

    over: str
    ndcg: Estimate


def gains(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return NDCG@10 of each event.

    >>> gains(np.array([0, 1, 10, MISS])).round(4).tolist()
    [1.0, 0.6309, 0.0, 0.0]
    """
    hit = (ranks >= 0) & (ranks < K)
    return np.where(hit, 1.0 / np.log2(np.maximum(ranks, 0) + 2.0), 0.0)


def hits(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return HR@10 of each event.

    >>> hits(np.array([0, 9, 10, MISS])).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    return ((ranks >= 0) & (ranks < K)).astype(np.float64)


def stratum(ranks: Ranks, name: str) -> NDArray[np.bool_]:
    """Return which events belong to the stratum."""
    experience = ranks.experience
    if name == "new":
        return experience == 0
    if name == "1_to_4":
        return (experience >= 1) & (experience <= 4)
    return experience >= 5 if name == "5_plus" else np.ones(len(experience), dtype=np.bool_)


def estimate(values: NDArray[np.float64], users: NDArray[np.int64]) -> Estimate:
    """Return the mean with its interval, events of one user counted as one witness.

    >>> each = estimate(np.array([0.0, 1.0, 0.0, 1.0]), np.array([1, 2, 3, 4]))
    >>> round(each.mean, 2), round(each.high - each.mean, 2)
    (0.5, 0.49)
    """
    if len(values) == 0:
        return Estimate(0.0, 0.0, 0.0)
    mean = float(values.mean())
    _, places = np.unique(users, return_inverse=True)
    sums = np.bincount(places, values - mean)
    margin = Z_95 * float(np.sqrt((sums**2).sum())) / len(values)
    return Estimate(mean, mean - margin, mean + margin)


def cells(ranks: Ranks) -> dict[str, dict[str, Cell]]:
    """Return a cell for each method and stratum."""
    table: dict[str, dict[str, Cell]] = {}
    for method, found in ranks.methods.items():
        table[method] = {}
        for name in STRATA:
            inside = stratum(ranks, name)
            users = ranks.users[inside]
            table[method][name] = Cell(
                estimate(gains(found[inside]), users),
                estimate(hits(found[inside]), users),
                int(inside.sum()),
            )
    return table


def leads(ranks: Ranks, method: str) -> dict[str, Lead]:
    """Return the method's lead over the best other one in each stratum."""
    found: dict[str, Lead] = {}
    for name in STRATA:
        inside = stratum(ranks, name)
        others = {key: gains(rank[inside]) for key, rank in ranks.methods.items() if key != method}
        best = max(others, key=lambda key: float(others[key].sum()))
        difference = gains(ranks.methods[method][inside]) - others[best]
        found[name] = Lead(best, estimate(difference, ranks.users[inside]))
    return found
