"""Popularity that forgets: forward-decayed counters, kept as logarithms.

The idea. What is popular *now* is a sum over an item's interactions in which each weighs
``2 ** (-age / half_life)``. Written so, every sum changes at every instant. Forward decay (Cormode,
Shkapenyuk, Srivastava & Xu, "Forward Decay", ICDE 2009) splits the weight in two,

    2 ** (-(now - t) / h) = 2 ** (t / h) * 2 ** (-now / h)

and stores only the first factor's sum, which changes when something happens and at no other time.
The second factor is the same for every item, so the *order* of items needs no "now" at all, and
an index can hold it. Since ``2 ** (t / h)`` leaves every number range within days, its logarithm
is stored: the item's **level**.

    level         = log2(sum of weight * 2 ** (t / h))        stored; grows; order is popularity
    level - now/h = log2(the decayed count at now)            the reading

Two levels merge by ``log2(2 ** a + 2 ** b)``, which is commutative and associative: events may come
late, out of order, or pre-summed in batches from several processors.

One item has a level per half-life. Short ones say what breaks out, long ones what lasts; measured
on MovieTweetings, ranking by one day's is worth twice ranking by all-time counts, and a model
that sees all of them gains again.
"""

import math
from collections.abc import Sequence

from attune.contract.event import Action

HALF_LIVES_HOURS = (1.0, 6.0, 24.0, 168.0, 720.0, 8760.0)
"""Hour, quarter day, day, week, month, and a year that stands for "ever"."""

TRENDING = 2
"""Index of the half-life by which items trend: one day (measured best as a single one)."""

LASTING = 4
"""Index of the half-life that says how much is known of an item: one month."""

MS_PER_HOUR = 3_600_000

WEIGHTS: dict[Action, float] = {"view": 0.2, "click": 1.0, "cart": 1.5, "purchase": 2.0}
"""What an action adds; a dismissal says nothing about an item's popularity."""

NOTHING = -math.inf
"""The level of an item nobody ever touched."""


def level(weight: float, at_ms: int, half_life_hours: float) -> float:
    """Return the level of one interaction alone.

    >>> level(1.0, 2 * MS_PER_HOUR, 1.0), level(0.0, 0, 1.0)
    (2.0, -inf)
    """
    return math.log2(weight) + at_ms / (half_life_hours * MS_PER_HOUR) if weight > 0 else NOTHING


def merged(one: float, other: float) -> float:
    """Return the level of two sums together: ``log2(2 ** one + 2 ** other)``.

    >>> merged(3.0, 3.0), merged(NOTHING, 5.0)
    (4.0, 5.0)
    """
    high, low = (one, other) if one >= other else (other, one)
    if low == NOTHING:
        return high
    return high + math.log2(1.0 + 2.0 ** (low - high))


def levels(action: Action, at_ms: int) -> tuple[float, ...]:
    """Return one interaction's level at each of ``HALF_LIVES_HOURS``; () where it adds nothing.

    >>> [round(value, 2) for value in levels("click", 24 * MS_PER_HOUR)]
    [24.0, 4.0, 1.0, 0.14, 0.03, 0.0]
    >>> levels("dismiss", 0)
    ()
    """
    weight = WEIGHTS.get(action, 0.0)
    if weight == 0.0:
        return ()
    return tuple(level(weight, at_ms, half_life) for half_life in HALF_LIVES_HOURS)


def merged_levels(one: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
    """Return two items' levels as one; an empty sequence is an item nobody touched.

    >>> merged_levels((1.0, 4.0), (1.0, 4.0)), merged_levels((), (1.0, 4.0))
    ((2.0, 5.0), (1.0, 4.0))
    """
    if not one or not other:
        return tuple(one or other)
    return tuple(merged(a, b) for a, b in zip(one, other, strict=True))


def reading(stored: float, now_ms: int, half_life_hours: float) -> float:
    """Return log2 of the decayed count at ``now_ms``.

    Two clicks, one at once and one an hour old, count 1.5 at a half-life of one hour:

    >>> both = merged(level(1.0, 0, 1.0), level(1.0, MS_PER_HOUR, 1.0))
    >>> round(2 ** reading(both, MS_PER_HOUR, 1.0), 3)
    1.5
    """
    return stored - now_ms / (half_life_hours * MS_PER_HOUR)
