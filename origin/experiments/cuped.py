"""CUPED: less noise by what was known of each unit before the experiment began.

A user who bought much last month buys much this month in either arm. Subtracting what the past
explains leaves the arms' difference alone and its variance at (1 - correlation^2):

    adjusted = y - theta (x - mean of x),   theta = cov(x, y) / var(x), over all arms together

x must not be touched by the treatment. Deng et al., "Improving the Sensitivity of Online Controlled
Experiments by Utilizing Pre-Experiment Data", 2013.
"""

from dataclasses import dataclass

from origin.evaluation.intervals import Vector


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Values less what the past explains, (N,); the share of variance that is left."""

    values: Vector
    theta: float
    variance_left: float


def adjusted(values: Vector, before: Vector) -> Adjusted:
    """Return the adjusted values of all units, whatever their arm.

    Args:
        values: what each unit did in the experiment, (N,).
        before: the same, or anything else, from before it, (N,); 0 for the unknown.

    >>> import numpy as np
    >>> found = adjusted(np.array([1.0, 2.0, 3.0, 5.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    >>> round(found.theta, 2), round(found.variance_left, 3)
    (1.3, 0.034)
    """
    off = before - before.mean()
    spread = float(off @ off)
    theta = float(off @ (values - values.mean())) / spread if spread > 0.0 else 0.0
    found = values - theta * off
    variance = float(values.var())
    return Adjusted(found, theta, float(found.var()) / variance if variance > 0.0 else 1.0)
