"""The Beta prior that explains best what all arms have shown so far (empirical Bayes).

The likelihood of an arm with s rewards in n pulls, its rate integrated out, is
B(a + s, b + n - s) / B(a, b); the product over arms is maximised over mean and strength. Unlike
moments, a likelihood does not mind that a bandit pulls good arms more often: which arm was pulled
depends on nothing but what was seen, so the choice cancels. A hyperprior keeps the first fits sane.

Hierarchical: arms in groups (categories) get their group's mean, which is shrunk to the overall
one by what the group has seen; the strength is everybody's. Morris, "Parametric Empirical Bayes
Inference", 1983; Gelman et al., "Bayesian Data Analysis", ch. 5.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

from origin.bandits.port import Vector

MEAN_FIRST, STRENGTH_FIRST = 0.05, 20.0
"""What a catalogue starts with before it has data: 5 %, worth 20 pulls."""

LOGIT_SPREAD, LOG_STRENGTH_SPREAD = 2.0, 1.5
"""The hyperprior's deviations: rates from 0.1 to 75 % and strengths from 1 to 400 are plausible."""

STEPS_MAX = 16
STEP_FIRST, STEP_LAST = 0.4, 0.02


def log_evidence(place: tuple[float, float], rewards: Vector, pulls: Vector) -> float:
    """Return the logarithm of likelihood times hyperprior at (logit of mean, log strength)."""
    logit, log_strength = place
    mean, strength = 1.0 / (1.0 + math.exp(-logit)), math.exp(log_strength)
    alpha, beta = mean * strength, (1.0 - mean) * strength
    likelihood = float(betaln(alpha + rewards, beta + pulls - rewards).sum())
    likelihood -= len(pulls) * float(betaln(alpha, beta))
    first = math.log(MEAN_FIRST / (1.0 - MEAN_FIRST))
    off_mean = (logit - first) / LOGIT_SPREAD
    off_strength = (log_strength - math.log(STRENGTH_FIRST)) / LOG_STRENGTH_SPREAD
    return likelihood - 0.5 * (off_mean**2 + off_strength**2)


def fitted(
    rewards: Vector, pulls: Vector, start: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Return (mean, strength) of the best prior, by a pattern search from ``start``.

    Args:
        rewards: what each arm earned in all, (K,).
        pulls: how often each was pulled, (K,); those never pulled say nothing.
        start: the fit before, which is near.

    >>> rng = np.random.default_rng(0)
    >>> earned = rng.binomial(200, rng.beta(2, 50, 400)).astype(float)
    >>> mean, strength = fitted(earned, np.full(400, 200.0))
    >>> round(mean, 3), 40 < strength < 65
    (0.037, True)
    """
    shown = pulls > 0.0
    rewards, pulls = rewards[shown], pulls[shown]
    mean, strength = start or (MEAN_FIRST, STRENGTH_FIRST)
    here = (math.log(mean / (1.0 - mean)), math.log(strength))
    height, step = log_evidence(here, rewards, pulls), STEP_FIRST
    for _ in range(STEPS_MAX):
        around = [
            (here[0] + step * dx, here[1] + 1.5 * step * dy)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))
        ]
        heights = [log_evidence(place, rewards, pulls) for place in around]
        best = max(range(len(around)), key=heights.__getitem__)
        if heights[best] > height:
            here, height = around[best], heights[best]
        elif step < STEP_LAST:
            break
        else:
            step *= 0.5
    return 1.0 / (1.0 + math.exp(-here[0])), math.exp(here[1])


def group_means(
    rewards: Vector, pulls: Vector, groups: NDArray[np.int64], mean: float, strength: float
) -> Vector:
    """Return each group's mean, shrunk to the overall one as if by ``strength`` pulls, (G,)."""
    earned, shown = np.bincount(groups, rewards), np.bincount(groups, pulls)
    return (mean * strength + earned) / (strength + shown)
