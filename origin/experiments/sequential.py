"""Confidence sequences: intervals that hold at every look, so that anybody may stop at any time.

Whoever looks daily at a 95 % interval and stops when it excludes zero is wrong far more often than
one time in twenty. A confidence *sequence* contains the truth at all times at once with 95 %. This
is Robbins' normal mixture: the likelihood ratio of a difference d with variance V, averaged over
effects drawn from N(0, tau^2),

    ratio = sqrt(V / (V + tau^2)) exp(tau^2 d^2 / (2 V (V + tau^2)))

exceeds 1 / alpha at any time with a probability of at most alpha when there is no effect (Ville's
inequality). 1 / ratio is an always-valid p-value (the mixture sequential probability ratio test),
and all effects that are not rejected form the interval

    d +- sqrt(2 V (V + tau^2) / tau^2 * ln(sqrt((V + tau^2) / V) / alpha))

With estimated variances the guarantee is asymptotic: it starts after ``UNITS_MIN`` units an arm.
Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm", 1970; Johari et al.,
"Peeking at A/B Tests", 2017; Howard et al., "Time-uniform, Nonparametric, Nonasymptotic Confidence
Sequences", 2021; Waudby-Smith et al., "Time-uniform Central Limit Theory", 2024.
"""

import math
from dataclasses import dataclass

from origin.evaluation.intervals import Interval

UNITS_MIN = 100


@dataclass(frozen=True, slots=True)
class Sums:
    """What an arm has shown: units, the sum of their values, and of the squares. They just add up.

    A unit is what was assigned: a user with everything that he did, not one of his pages.
    """

    units: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        """Return both together."""
        return Sums(
            self.units + other.units, self.total + other.total, self.squares + other.squares
        )

    @property
    def mean(self) -> float:
        """The mean value of a unit."""
        return self.total / self.units

    @property
    def variance_of_mean(self) -> float:
        """The estimated variance of that mean."""
        spread = max(self.squares / self.units - self.mean**2, 0.0)
        return spread / (self.units - 1.0)


@dataclass(frozen=True, slots=True)
class Look:
    """What is known at one look; ``p_value`` is the smallest so far, and valid at any time."""

    difference: float
    interval: Interval
    p_value: float
    enough: bool


def mixture_deviation(planned_variance: float, alpha: float = 0.05) -> float:
    """Return the tau that makes the interval tightest when V reaches ``planned_variance``.

    >>> round(mixture_deviation(0.01), 2)
    0.3
    """
    term = -2.0 * math.log(alpha)
    return math.sqrt(planned_variance * (term + math.log(term) + 1.0))


def interval_at(difference: float, variance: float, tau: float, alpha: float = 0.05) -> Interval:
    """Return the confidence sequence's interval now."""
    total = variance + tau * tau
    logarithm = 0.5 * math.log(total / variance) - math.log(alpha)
    margin = math.sqrt(2.0 * variance * total / (tau * tau) * logarithm)
    return Interval(difference - margin, difference + margin)


def p_value_at(difference: float, variance: float, tau: float) -> float:
    """Return the inverse of the mixture likelihood ratio, at most 1.

    >>> round(p_value_at(0.3, 0.01, 0.3), 4)
    0.0551
    """
    total = variance + tau * tau
    logarithm = 0.5 * math.log(variance / total)
    logarithm += (tau * difference) ** 2 / (2.0 * variance * total)
    return math.exp(-max(logarithm, 0.0))


def look(
    treatment: Sums, control: Sums, tau: float, alpha: float = 0.05, before: float = 1.0
) -> Look:
    """Return what treatment minus control is known to be.

    Args:
        treatment: one arm.
        control: the other.
        tau: deviation of plausible effects, from ``mixture_deviation``; fixed before the first
            look, for a tau that follows the data voids the guarantee.
        alpha: chance that the truth is ever left out.
        before: the p-value of the look before.
    """
    if min(treatment.units, control.units) < UNITS_MIN:
        return Look(0.0, Interval(-math.inf, math.inf), before, enough=False)
    difference = treatment.mean - control.mean
    variance = treatment.variance_of_mean + control.variance_of_mean
    if variance <= 0.0:
        return Look(difference, Interval(-math.inf, math.inf), before, enough=False)
    p_value = min(before, p_value_at(difference, variance, tau))
    return Look(difference, interval_at(difference, variance, tau, alpha), p_value, enough=True)
