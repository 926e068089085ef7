"""User embeddings moved by a batch of interactions: the momentum rule on many users at once.

The rule is ``attune.embedding``'s. A user's moves must follow each other, different users' need
not, so the batch runs in rounds: round k makes the k-th move of every user who has one, as one
matrix operation. A user's result is rounded to fixed point after every move, as it would be if it
had been stored: how the log happens to be cut into batches changes nothing.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from attune.contract.event import ACTIONS
from attune.embedding import EmbeddingRule
from origin.storage.user_columns import TIME_BITS, Fixed, fixed, floats

MS_PER_HOUR = 3_600_000

Places = NDArray[np.int64]


def step_sizes(
    actions: Places, age_ms: NDArray[np.int64], seen: NDArray[np.int64], rule: EmbeddingRule
) -> NDArray[np.float32]:
    """Return how far each interaction pulls; ``attune.embedding.step_size`` for columns.

    Args:
        actions: places in ``ACTIONS``. (M,)
        age_ms: how late each came; a negative age counts as now. (M,)
        seen: the user's interactions before each. (M,)
        rule: the parameters.
    """
    weights = np.array([rule.weights.get(action, 0.0) for action in ACTIONS])
    rates = np.maximum(rule.learning_rate, 1.0 / (seen + 1))
    ages = np.maximum(age_ms, 0) / MS_PER_HOUR
    return (rates * weights[actions] * np.exp(-ages / rule.decay_hours)).astype(np.float32)


def move(
    state: Fixed,
    users: Places,
    items: Places,
    vectors: NDArray[np.float32],
    steps: NDArray[np.float32],
) -> None:
    """Move embeddings in place, each user's in the order given.

    Args:
        state: all embeddings, length 1 or all zero. (U, 64)
        users: whose embedding each move changes. (M,)
        items: towards which of ``vectors``. (M,)
        vectors: the items' embeddings. (I, 64)
        steps: how far; a step of 0 says that nothing happened. (M,)

    >>> axes = np.eye(64, dtype=np.float32)
    >>> state = fixed(axes[:1])
    >>> move(state, np.array([0]), np.array([1]), axes, np.array([0.5], np.float32))
    >>> [round(float(x), 4) for x in floats(state[0, :2])]
    [0.7071, 0.7071]
    """
    moving = np.flatnonzero(steps)
    for places in _rounds(users[moving]):
        these = moving[places]
        who = users[these]
        now = floats(state[who])  # (A, 64), A <= U
        now += steps[these, None] * (vectors[items[these]] - now)
        lengths = np.sqrt(np.einsum("ij,ij->i", now, now))  # (A,)
        # The zero vector has no direction.
        now /= np.where(lengths == 0.0, np.float32(1.0), lengths)[:, None]
        state[who] = fixed(now)


def occurrences(keys: Places) -> Places:
    """Return for each entry how many equal ones stand before it.

    >>> occurrences(np.array([7, 3, 7, 7, 3])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(keys) else order
    lengths = np.diff(np.r_[starts, len(keys)])
    found = np.empty(len(keys), dtype=np.int64)
    found[order] = np.arange(len(keys)) - np.repeat(starts, lengths)
    return found


def latest_before(users: Places, at_ms: Places, known_ms: Places) -> Places:
    """Return for each event the latest time of its user before it.

    Args:
        users: whose it is, as numbers. (M,)
        at_ms: when it happened. (M,)
        known_ms: the latest time of its user before all of these. (M,)

    >>> latest_before(np.array([7, 3, 7]), np.array([5, 9, 6]), np.array([2, 8, 2])).tolist()
    [2, 8, 5]
    """
    order = np.argsort(users, kind="stable")
    # One running maximum over all users: each one's times are lifted above those of the one before.
    _, group = np.unique(users[order], return_inverse=True)
    lift = group.astype(np.int64) << TIME_BITS
    latest = np.maximum(known_ms[order], at_ms[order])
    running = np.maximum.accumulate(lift | latest) - lift
    firsts = np.r_[True, group[1:] != group[:-1]] if len(group) else np.zeros(0, dtype=bool)
    found = np.empty(len(users), dtype=np.int64)
    found[order] = np.where(firsts, known_ms[order], np.r_[0, running[:-1]])
    return found


def _rounds(users: Places) -> Iterator[Places]:
    """Yield places such that no user is met twice in one round, in order."""
    if not len(users):
        return
    rounds = occurrences(users)
    order = np.argsort(rounds, kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(rounds))[:-1])
