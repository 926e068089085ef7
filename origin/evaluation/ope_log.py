"""What off-policy evaluation reads: a log of decisions, and the policy to be judged by it.

A row is one position of one slate: what was put there, with which probability, and what it earned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from origin.evaluation.intervals import Codes, Vector

ROWS_PER_CHUNK = 16_384
"""Rows whose items are spread out at a time: at 500 items a chunk is 64 MB."""


class LogError(Exception):
    """The log cannot be used; the message names the file and the field."""


@dataclass(frozen=True, slots=True)
class Log:
    """Decisions as parallel columns, (N,) each; ``contexts`` is (N, C).

    ``items``, ``positions``, ``contexts`` and ``slates`` are codes from 0 on; ``item_count`` says
    how many items there are to choose from.
    """

    items: Codes
    positions: Codes
    rewards: Vector
    propensities: Vector
    contexts: NDArray[np.int64]
    slates: Codes
    item_count: int

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.items)


class Spread(NamedTuple):
    """A policy's probabilities over the items of some rows, one entry per row and item."""

    rows: Codes
    items: Codes
    probabilities: Vector


class Policy(Protocol):
    """A policy on the rows of a log."""

    @property
    def logged(self) -> Vector:
        """The probability of the item that the log holds, (N,)."""
        ...

    def spread(self) -> Iterator[Spread] | None:
        """Yield all probabilities, in chunks of rows; None when only `logged` is known."""
        ...


class TablePolicy:
    """A policy that looks at nothing but the position."""

    def __init__(self, log: Log, table: NDArray[np.float64]) -> None:
        """Use the probabilities of items at positions, (P, A)."""
        self._log, self._table = log, table
        self.logged: Vector = table[log.positions, log.items]

    def spread(self) -> Iterator[Spread]:
        """Yield every item of every row."""
        count = self._log.item_count
        for start in range(0, len(self._log), ROWS_PER_CHUNK):
            positions = self._log.positions[start : start + ROWS_PER_CHUNK]
            rows = np.repeat(np.arange(start, start + len(positions)), count)
            items = np.tile(np.arange(count), len(positions))
            yield Spread(rows, items, self._table[positions].ravel())


class ListedPolicy:
    """A policy whose probabilities stand in the log itself, row by row."""

    def __init__(self, logged: Vector, listed: Spread | None) -> None:
        """Use the probability of the logged item and, when known, that of each item."""
        self.logged, self._listed = logged, listed

    def spread(self) -> Iterator[Spread] | None:
        """Yield what is listed."""
        return None if self._listed is None else iter((self._listed,))


def uniform_policy(log: Log) -> TablePolicy:
    """Return the policy that gives every item the same probability."""
    positions = int(log.positions.max()) + 1
    return TablePolicy(log, np.full((positions, log.item_count), 1.0 / log.item_count))


def frequencies(log: Log) -> NDArray[np.float64]:
    """Return how often each item stood at each position, (P, A): a policy's average over time."""
    counts = np.zeros((int(log.positions.max()) + 1, log.item_count))
    np.add.at(counts, (log.positions, log.items), 1.0)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)


def carried_weights(log: Log, weights: Vector) -> Vector:
    """Return each row's weight times those of the positions above it in its slate.

    This is the cascade's weight: a click may depend on everything above (McInerney et al.,
    "Counterfactual Evaluation of Slate Recommendations with Sequential Reward Interactions", 2020).
    """
    order = np.lexsort((log.positions, log.slates))
    slates = log.slates[order]
    first = np.concatenate([[True], slates[1:] != slates[:-1]])
    carried = weights[order].copy()
    for place in np.flatnonzero(~first):
        carried[place] *= carried[place - 1]
    back = np.empty_like(carried)
    back[order] = carried
    return back
