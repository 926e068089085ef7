"""Drift: has a distribution moved from its baseline?

Three questions, each with its own test:

- **Population.** Where do users stand as a whole? The cosine distance of their mean embedding from
  the baseline's; above 0.2 items and users do not fit each other as they did at training.
- **Features.** The population stability index of a feature's histogram against the baseline's,
  ``sum (p - q) ln (p / q)``, symmetric Kullback-Leibler divergence. Credit scoring's rule of thumb
  (Siddiqi, "Credit Risk Scorecards", 2006) reads 0.1 as a shift and 0.25 as a large one. Of n
  values in B bins it is about ``(B - 1) (1/n + 1/N)`` by luck alone, which is why both samples have
  a least size.
- **Rewards.** The Page-Hinkley test (Page, "Continuous inspection schemes", Biometrika 1954;
  Hinkley, 1971): sums of deviations from the mean so far, less a tolerance; the sum's rise above
  its own minimum is compared with a threshold. Two of them run, for a fall and for a rise.
  It needs the mean, two sums and their minima: forty bytes, whatever the stream's length.

All states are values: what a monitor knows can be stored and continued anywhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

POPULATION_ALERT = 0.2
FEATURE_ALERT = 0.25
SHARE_MIN = 1e-4
"""Stands in for an empty bin, whose logarithm would be infinite."""


@dataclass(frozen=True, slots=True)
class PageHinkley:
    """The state of a Page-Hinkley test on a stream of numbers with a known deviation.

    ``tolerance`` and ``threshold`` are in standard deviations: a shift of less than twice the
    tolerance is not looked for, and one of size s is found after about threshold / (s - tolerance)
    observations.
    """

    tolerance: float = 0.5
    threshold: float = 12.0
    observations: int = 0
    mean: float = 0.0
    squares: float = 0.0
    fall: float = 0.0
    rise: float = 0.0

    @property
    def deviation(self) -> float:
        """The standard deviation of what was observed."""
        return math.sqrt(self.squares / self.observations) if self.observations else 0.0

    @property
    def statistic(self) -> float:
        """The larger one of both sums above their minima, in standard deviations."""
        return max(self.fall, self.rise)

    @property
    def has_drifted(self) -> bool:
        """Whether the mean has left where it was."""
        return self.statistic > self.threshold


WARM_UP = 30
"""Observations before a deviation is believed."""


def observed(state: PageHinkley, value: float) -> PageHinkley:
    """Return the state after one more observation (a mean of many outcomes, so about normal).

    >>> state = PageHinkley()
    >>> for number in range(100):
    ...     state = observed(state, 0.05 + 0.01 * (-1) ** number)
    >>> state.has_drifted
    False
    >>> for number in range(20):
    ...     state = observed(state, 0.02 + 0.01 * (-1) ** number)
    >>> state.has_drifted
    True
    """
    count = state.observations + 1
    mean = state.mean + (value - state.mean) / count
    squares = state.squares + (value - state.mean) * (value - mean)
    after = replace(state, observations=count, mean=mean, squares=squares)
    if count <= WARM_UP or state.deviation == 0.0:
        return after
    # Judged by what was known before it: an outlier must not excuse itself.
    distance = (value - state.mean) / state.deviation
    return replace(
        after,
        fall=max(0.0, state.fall - distance - state.tolerance),
        rise=max(0.0, state.rise + distance - state.tolerance),
    )


def stability_index(baseline: Sequence[float], sample: Sequence[float]) -> float:
    """Return the population stability index of two histograms over the same bins.

    >>> stability_index([10, 10], [20, 20])
    0.0
    >>> round(stability_index([50, 50], [80, 20]), 3)
    0.416
    """
    total, sampled = math.fsum(baseline), math.fsum(sample)
    if total <= 0.0 or sampled <= 0.0:
        return 0.0
    terms: list[float] = []
    for one, other in zip(baseline, sample, strict=True):
        p, q = max(one / total, SHARE_MIN), max(other / sampled, SHARE_MIN)
        terms.append((q - p) * math.log(q / p))
    return math.fsum(terms)


def cosine_distance(baseline: Sequence[float], now: Sequence[float]) -> float:
    """Return 1 - cosine; 0 where one of both says nothing (all zero).

    >>> cosine_distance([1.0, 0.0], [0.0, 1.0]), cosine_distance([1.0, 0.0], [0.0, 0.0])
    (1.0, 0.0)
    """
    dot = math.fsum(a * b for a, b in zip(baseline, now, strict=True))
    lengths = math.sqrt(math.fsum(a * a for a in baseline) * math.fsum(b * b for b in now))
    return 1.0 - dot / lengths if lengths > 0.0 else 0.0
