"""Confidence intervals of a mean over slates, or of a ratio of two such means.

Rows of one slate are no independent witnesses, so their deviations are added up before they are
squared (cluster-robust variance; Liang & Zeger, 1986), and the bootstrap draws whole slates.

Three intervals, from trusting to careful. *Normal*: right when many slates carry the sum; a few
large weights make it too narrow. *Bootstrap* (percentile; Efron, 1979): follows the skew of what
was seen, knows nothing of what was not. *Empirical Bernstein* (Maurer & Pontil, 2009): holds for
any sample size when the values lie within a known range R:

    |mean - estimate| <= sqrt(2 V ln(4 / delta) / n) + 7 R ln(4 / delta) / (3 (n - 1))
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """The bounds of a confidence interval."""

    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Return whether the value lies inside."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Ratio:
    """Two columns over the rows, (N,) each; the estimate is the ratio of their means.

    A plain mean has a denominator of ones.
    """

    numerator: Vector
    denominator: Vector

    @property
    def value(self) -> float:
        """The estimate."""
        return float(self.numerator.sum() / self.denominator.sum())

    @property
    def influence(self) -> Vector:
        """What each row adds to the estimate's deviation, by the delta method: (N,)."""
        return (self.numerator - self.value * self.denominator) / float(self.denominator.mean())


def mean_of(values: Vector) -> Ratio:
    """Return the plain mean of a column."""
    return Ratio(values, np.ones(len(values)))


def standard_error(ratio: Ratio, slates: Codes) -> float:
    """Return the cluster-robust standard error of the estimate.

    >>> round(standard_error(mean_of(np.array([0.0, 1.0, 0.0, 1.0])), np.arange(4)), 4)
    0.25
    """
    sums = np.bincount(slates, ratio.influence)
    return float(np.sqrt((sums**2).sum())) / len(slates)


def normal_interval(ratio: Ratio, slates: Codes, confidence: float) -> Interval:
    """Return the estimate with its error as of a normal distribution."""
    margin = float(ndtri(0.5 + confidence / 2)) * standard_error(ratio, slates)
    return Interval(ratio.value - margin, ratio.value + margin)


def bootstrap_intervals(
    ratios: Sequence[Ratio], slates: Codes, confidence: float, resamples: int, seed: int
) -> list[Interval]:
    """Return a percentile interval per estimate, all from the same draws of slates."""
    count = int(slates.max()) + 1
    sums = np.zeros((2 * len(ratios), count))  # (2E, S)
    for place, ratio in enumerate(ratios):
        sums[2 * place] = np.bincount(slates, ratio.numerator)
        sums[2 * place + 1] = np.bincount(slates, ratio.denominator)
    rng = np.random.default_rng(seed)
    drawn = np.empty((resamples, len(ratios)))
    for row in drawn:
        draws: Codes = rng.integers(0, count, count)
        times = np.bincount(draws, minlength=count)
        totals = sums @ times
        row[:] = totals[::2] / np.where(totals[1::2] == 0.0, np.nan, totals[1::2])
    tail = 50.0 * (1.0 - confidence)
    lows, highs = np.nanpercentile(drawn, (tail, 100.0 - tail), axis=0)
    return [Interval(float(low), float(high)) for low, high in zip(lows, highs, strict=True)]


def bernstein_interval(
    values: Vector, slates: Codes, confidence: float, value_range: float
) -> Interval:
    """Return the interval of a mean that holds for any number of slates.

    Args:
        values: one per row, (N,).
        slates: the slate of each row; independent of each other.
        confidence: such as 0.95.
        value_range: the largest minus the smallest value that a row could have had.

    >>> interval = bernstein_interval(np.tile([0.0, 1.0], 500), np.arange(1000), 0.95, 1.0)
    >>> round(interval.high - 0.5, 3)
    0.057
    """
    sizes = np.bincount(slates)
    sums = np.bincount(slates, values) * (len(sizes) / len(values))
    count, reach = len(sizes), value_range * float(sizes.max()) * len(sizes) / len(values)
    term = float(np.log(4.0 / (1.0 - confidence)))
    variance = float(sums.var(ddof=1))
    margin = np.sqrt(2.0 * variance * term / count) + 7.0 * reach * term / (3.0 * (count - 1))
    mean = float(sums.mean())
    return Interval(mean - float(margin), mean + float(margin))


def wilson_interval(successes: float, trials: int, confidence: float) -> Interval:
    """Return the interval of a rate (Wilson, 1927): right for rare successes too.

    >>> found = wilson_interval(46, 10_000, 0.95)
    >>> round(found.low, 5), round(found.high, 5)
    (0.00345, 0.00613)
    """
    z = float(ndtri(0.5 + confidence / 2))
    rate, shrink = successes / trials, 1.0 + z * z / trials
    middle = (rate + z * z / (2 * trials)) / shrink
    margin = z / shrink * float(np.sqrt(rate * (1 - rate) / trials + (z / (2 * trials)) ** 2))
    return Interval(middle - margin, middle + margin)
