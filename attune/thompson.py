"""Thompson sampling as probability matching, so that every choice has an exact propensity.

The idea. Thompson sampling draws one rate from each arm's posterior and plays the largest draw. An
arm is therefore played exactly as often as it is believed to be best. Instead of drawing and then
guessing the probability of what came out, we *compute* these probabilities and draw the arm from
them: the same policy, but its propensity is known, to the last bit, at the moment of the choice.
That is what off-policy evaluation divides by.

The score of arm i is ``center_i + weight * theta_i`` with ``theta_i ~ Beta(alpha_i, beta_i)``. Its
probability of being the best is

    P(i) = integral of f_i(x) * product over j != i of F_j(x) dx

computed by the trapezoid rule on a grid over the range in which the largest score can lie. The
probabilities are normalised, hence quadrature error changes the policy by a little and its
propensities not at all.

Nine draws in ten fall on the greedy choice, so its probability is worked out first and alone
(``leading_probability``): the chance that no rival reaches it, over a few quantiles of its own
posterior. The others' shares of the rest are only needed where a draw falls on them.

References: Thompson, "On the likelihood that one unknown probability exceeds another", 1933;
Peizer & Pratt, "A Normal Approximation for Binomial, F, Beta, and Other Common, Related Tail
Probabilities", 1968.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import add, mul, sub
from typing import NamedTuple

from attune.posterior import Beta
from attune.quantisation import sumprod

GRID_NODES = 24
"""Measured against a million real draws: the probabilities are within 0.01 from 20 nodes on."""

TABLE_CELLS = 40
"""Each belief's CDF is tabulated over five deviations each way: a cell is a quarter deviation."""

TABLES_MAX = 4096
"""Tables kept between slates: most candidates have the posterior they had a moment ago, and
4096 of them are 2 MB."""

QUANTILES = (0.033765, 0.169395, 0.380690, 0.619310, 0.830605, 0.966235)
QUANTILE_WEIGHTS = (0.085662, 0.180381, 0.233957, 0.233957, 0.180381, 0.085662)
"""Gauss-Legendre nodes in [0, 1]: where a posterior is looked at when it stands for itself."""

NARROW = 0.5
"""A rival whose deviation is below this share of the leader's is a step on the leader's quantiles:
then it is the leader that is looked at on the rival's."""

OUT_OF_REACH = 0.999
"""A rival that stays so surely below even the leader's lowest quantile is left out."""

ROOT_HALF = math.sqrt(0.5)

SPREAD_DEVIATIONS = 5.0
"""Scores further than this from their mean are left out of the grid."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One option: a known part of its score and a posterior over the unknown part."""

    center: float
    belief: Beta

    def mean(self, weight: float) -> float:
        """Return the expected score."""
        return self.center + weight * self.belief.mean

    def deviation(self, weight: float) -> float:
        """Return the score's standard deviation."""
        return weight * math.sqrt(self.belief.variance)


def matching_probabilities(arms: Sequence[Arm], weight: float) -> list[float]:
    """Return for each arm the probability that its score is the largest; they sum to 1.

    Args:
        arms: at least one.
        weight: how much the sampled part counts; 0 makes the choice greedy.

    >>> arms = [Arm(0.0, Beta(30, 70)), Arm(0.0, Beta(3, 7)), Arm(0.0, Beta(1, 99))]
    >>> [round(p, 2) for p in matching_probabilities(arms, 1.0)]
    [0.53, 0.47, 0.0]
    """
    means = [arm.mean(weight) for arm in arms]
    if weight == 0.0:
        leader = means.index(max(means))
        return [float(k == leader) for k in range(len(arms))]
    deviations = [arm.deviation(weight) for arm in arms]
    return matched(means, deviations, [_placed(arm, weight) for arm in arms])


class Placed(NamedTuple):
    """A tabulated CDF on the axis of the scores: x stands at cell (x + shift) * cells_per_unit."""

    table: tuple[float, ...]
    cells_per_unit: float
    shift: float


def matched(
    means: Sequence[float], deviations: Sequence[float], scores: Sequence[Placed]
) -> list[float]:
    """Return the same for scores with these means, deviations and distributions."""
    reaches = [SPREAD_DEVIATIONS * deviation for deviation in deviations]
    low = max(map(sub, means, reaches))
    tops = list(map(add, means, reaches))
    rivals = [k for k, top in enumerate(tops) if top > low]
    probabilities = [0.0] * len(means)
    if len(rivals) <= 1:
        probabilities[means.index(max(means))] = 1.0
        return probabilities
    step = (max(tops) - low) / (GRID_NODES - 1)
    nodes = [low + step * k for k in range(GRID_NODES)]
    shares = _shares_of_maximum([_values(*scores[k], nodes) for k in rivals])
    total = math.fsum(shares)
    if total <= 0.0:
        probabilities[means.index(max(means))] = 1.0
        return probabilities
    for k, share in zip(rivals, shares, strict=True):
        probabilities[k] = share / total
    return probabilities


def _shares_of_maximum(cdfs: list[list[float]]) -> list[float]:
    """Return each arm's share of the grid's cells: its mass there times the others' below it."""
    shares = [0.0] * len(cdfs)
    # What lies below the grid cannot hold the maximum but for rounding: it goes to the first cell.
    below: Sequence[float] = [0.0] * len(cdfs)
    for here in zip(*cdfs, strict=True):
        middles = [0.5 * (a + b) for a, b in zip(below, here, strict=True)]
        everyone = math.prod(middles)
        if everyone > 0.0:
            for k, middle in enumerate(middles):
                shares[k] += (here[k] - below[k]) * everyone / middle
        below = here
    return [max(share, 0.0) for share in shares]


def _placed(arm: Arm, weight: float) -> Placed:
    low, cells_per_unit, table = _cdf_table(arm.belief)
    return Placed(table, cells_per_unit / weight, -arm.center - weight * low)


class Spread(NamedTuple):
    """A posterior as tables: where they start, cells per unit, the CDF at each cell's edge, the
    CDF at each place of the ``QUANTILES``, the place in cells where it is ``OUT_OF_REACH``."""

    low: float
    cells_per_unit: float
    table: tuple[float, ...]
    quantiles: tuple[float, ...]
    sure: float


@lru_cache(maxsize=TABLES_MAX)
def spread_of(belief: Beta) -> Spread:
    """Return the tables of a posterior."""
    low, cells_per_unit, table = _cdf_table(belief)
    return Spread(
        low,
        cells_per_unit,
        table,
        tuple(low + _inverse(table, share) / cells_per_unit for share in QUANTILES),
        _inverse(table, OUT_OF_REACH),
    )


def _inverse(table: tuple[float, ...], share: float) -> float:
    """Return the place, in cells, at which a table reaches a share."""
    cell = max(bisect_left(table, share) - 1, 0)
    rise = table[cell + 1] - table[cell]
    return cell + ((share - table[cell]) / rise if rise > 0.0 else 0.5)


def leading_probability(
    leader: Spread, rivals: Sequence[tuple[float, Spread]], at_least: float
) -> float:
    """Return the probability that no rival's score is above the leader's, or ``at_least``.

    The chance to stay ahead of one rival is an integral over the leader's posterior; that of
    staying ahead of all is the integral of the product, since given the leader's rate the rivals
    are independent. Both are sums over six quantiles.

    Args:
        leader: its posterior.
        rivals: each one's handicap, by how much its known part of the score lies below the
            leader's, in units of a rate; and its posterior. Best first, so that a lead too small
            is found out early.
        at_least: the smallest probability of interest: below it, it is returned.

    >>> one, other = spread_of(Beta(30, 70)), spread_of(Beta(3, 7))
    >>> round(leading_probability(one, [(0.0, other)], 0.0), 2)
    0.53
    """
    together, apart, ahead = [1.0] * len(QUANTILES), 1.0, 1.0
    lowest = leader.quantiles[0]
    for handicap, (low, cells_per_unit, table, quantiles, sure) in rivals:
        shift = handicap - low
        if (lowest + shift) * cells_per_unit > sure:
            continue
        below = _values(table, cells_per_unit, shift, leader.quantiles)
        share = exact = sumprod(QUANTILE_WEIGHTS, below)
        if cells_per_unit * NARROW > leader.cells_per_unit:
            reached = _values(
                leader.table, leader.cells_per_unit, -handicap - leader.low, quantiles
            )
            exact = 1.0 - sumprod(QUANTILE_WEIGHTS, reached)
        if exact <= at_least:
            return at_least
        together = list(map(mul, together, below))
        apart *= share
        ahead *= exact
    # Being ahead of one rival makes being ahead of the next more likely.
    shared = sumprod(QUANTILE_WEIGHTS, together) - apart
    return min(max(ahead + shared, at_least), 1.0)


def _values(
    table: tuple[float, ...], cells_per_unit: float, shift: float, places: Sequence[float]
) -> list[float]:
    """Return a tabulated CDF at some places, each moved by ``shift``."""
    last = len(table) - 1
    return [
        0.0
        if (place := (x + shift) * cells_per_unit) <= 0.0
        else 1.0
        if place >= last
        else table[cell := int(place)] + (place - cell) * (table[cell + 1] - table[cell])
        for x in places
    ]


@lru_cache(maxsize=TABLES_MAX)
def _cdf_table(belief: Beta) -> tuple[float, float, tuple[float, ...]]:
    """Return where the table starts, its cells per unit, and the CDF at each cell's edge.

    The ends are 0 and 1 exactly: a node on the edge of the table, where rounding decides on which
    side it falls, must not see a jump. Grids end there, and runtimes round differently.
    """
    reach = SPREAD_DEVIATIONS * math.sqrt(belief.variance)
    low, high = max(belief.mean - reach, 0.0), min(belief.mean + reach, 1.0)
    width = (high - low) / TABLE_CELLS
    inner = (beta_cdf(low + width * k, belief.alpha, belief.beta) for k in range(1, TABLE_CELLS))
    return low, 1.0 / width, (0.0, *inner, 1.0)


def beta_cdf(x: float, alpha: float, beta: float) -> float:
    """Return P(theta <= x) for theta ~ Beta(alpha, beta), to about 0.004 for parameters >= 1.

    Peizer and Pratt's normal approximation: two logarithms instead of a continued fraction.

    >>> round(beta_cdf(0.3, 3.0, 7.0), 3)  # exactly 0.5372
    0.537
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    s = alpha - 0.5 if alpha > 0.501 else 1e-3
    t = beta - 0.5 if beta > 0.501 else 1e-3
    n = s + t
    y = 1.0 - x
    correction = 0.02 * (y / alpha - x / beta + (y - 0.5) / (n + 1.0))
    d = alpha - 1.0 / 3.0 - (n + 1.0 / 3.0) * x + correction
    gap = abs(s - n * x)
    if gap < 1e-9 * n:
        scale = 1.0 / math.sqrt(n * x * y)
    else:
        ratio = s * math.log(s / (n * x)) + t * math.log(t / (n * y))
        scale = math.sqrt(max(2.0 * ratio / (1.0 + 1.0 / (6.0 * n)), 0.0)) / gap
    return 0.5 * math.erfc(d * scale * ROOT_HALF)


def drawn(probabilities: Sequence[float], uniform: float) -> int:
    """Return the index that one uniform number in [0, 1) selects from a distribution.

    >>> drawn([0.2, 0.5, 0.3], 0.69)
    1
    """
    reached = 0.0
    last = 0
    for index, probability in enumerate(probabilities):
        if probability <= 0.0:
            continue
        reached += probability
        last = index
        if uniform < reached:
            return index
    return last
