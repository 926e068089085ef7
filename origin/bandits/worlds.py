"""Worlds to try bandits in: click rates that are known exactly, so that regret is, too."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from origin.bandits.port import Matrix, Vector

CONTEXT_SIZE = 5
CONTEXT_BIAS = -2.0


@dataclass(frozen=True, slots=True)
class Situation:
    """One moment: each arm's click rate (K,), and what may be known of it.

    ``features`` (K, D) describe arm and context together, ``context`` (K, C) the context alone, in
    every row; both are None where there is none.
    """

    rates: Vector
    features: Matrix | None = None
    context: Matrix | None = None


class StillWorld:
    """Arms with constant rates and no context."""

    def __init__(self, rates: Vector) -> None:
        """Let the arms have these rates, (K,)."""
        self.situation = Situation(rates)

    def now(self, rng: np.random.Generator) -> Situation:
        """Return the situation, which is always the same."""
        return self.situation


class DriftingWorld:
    """Arms of which one gets a new rate every so many pulls."""

    def __init__(self, rates: Vector, every: int) -> None:
        """Start with these rates."""
        self._rates, self._every, self._pulls = rates.copy(), every, 0

    def now(self, rng: np.random.Generator) -> Situation:
        """Return the situation at the next pull."""
        self._pulls += 1
        if self._pulls % self._every == 0:
            places = rng.integers(0, len(self._rates), 2)
            self._rates[places] = self._rates[places[::-1]]
        return Situation(self._rates)


class LogisticWorld:
    """Arms and contexts with hidden tastes: the rate is sigmoid(bias + w' features).

    The features are the arm's vector v, and its products with the context c: a new context has
    another best arm, and only a model that arms share can know it soon.
    """

    def __init__(self, arm_count: int, rng: np.random.Generator) -> None:
        """Draw the arms and the weights."""
        self._arms = rng.standard_normal((arm_count, CONTEXT_SIZE))
        dimension = 1 + CONTEXT_SIZE + CONTEXT_SIZE**2
        self._weights = rng.standard_normal(dimension) * 0.35
        self._weights[0] = CONTEXT_BIAS
        self.dimension = dimension

    def now(self, rng: np.random.Generator) -> Situation:
        """Return a new context's situation."""
        context = rng.standard_normal(CONTEXT_SIZE)
        count = len(self._arms)
        products = (self._arms[:, :, None] * context[None, None, :]).reshape(count, -1)
        features = np.concatenate([np.ones((count, 1)), self._arms, products], axis=1)
        known = np.tile(np.concatenate([[1.0], context]), (count, 1))
        return Situation(expit(features @ self._weights), features, known)


def uniform_world(arm_count: int, rng: np.random.Generator) -> StillWorld:
    """Return arms whose rates are anything between 0 and 1."""
    return StillWorld(rng.random(arm_count))


def click_world(arm_count: int, rng: np.random.Generator) -> StillWorld:
    """Return arms with click rates as they are: Beta(2, 50), 4 % on average."""
    return StillWorld(rng.beta(2.0, 50.0, arm_count))
