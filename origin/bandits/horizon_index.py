"""The horizon index: pull the arm that promises most to somebody with so many pulls left.

Thompson sampling plays an arm as often as it may be the best. With a thousand arms and clicks in
some percent that is too curious: finding *the* best arm costs more than it ever returns. What a
pull is worth depends on how many pulls can still profit from what it teaches; for geometric
discounting with a mean of H pulls the answer is Gittins' index, the rate at which one would stop
exploring the arm for good. Close approximation for a normal belief (Brezzi & Lai, "Optimal
learning and experimentation in bandit problems", 2002; Chang & Lai, 1987):

    index = mean + deviation * psi(s),   s = posterior variance * H / variance of one reward

Beliefs about click rates are skewed: a Beta(2, 50) reaches much further up than down, and its
upper tail is what exploring is for. So the psi deviations are taken as a *level*, and the index is
the belief's quantile there (as in Bayes-UCB; Kaufmann, Cappe & Garivier, 2012):

    index = Beta(alpha, beta) quantile at Phi(psi(H / (alpha + beta + 1)))

Pulls whose rewards are not in yet narrow the belief as if each had earned its expectation
(Desautels, Krause & Burdick, 2014): a batch spreads over arms instead of repeating one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr

from origin.bandits.port import Arms, Bandit, Choice, Matrix, Vector
from origin.bandits.rates import Rates

HORIZON_PULLS = 30_000.0
"""Where the horizon starts. Once more was pulled, it is the number of pulls so far: who stayed for
n pulls will likely stay for n more, and a horizon that stands still locks in (ADR 13)."""

HORIZON_STEP = 1.1
"""Growth after which all indices are worked out again: they change with its logarithm's root."""


def psi(s: Vector) -> Vector:
    """Return by how many deviations an arm is worth more than its mean, (K,).

    >>> psi(np.array([0.1, 1.0, 10.0, 1000.0])).round(2).tolist()
    [0.22, 0.38, 0.59, 2.82]
    """
    root = np.sqrt(s)
    middle = np.where(s <= 1.0, 0.49 - 0.11 / root, 0.63 - 0.26 / root)
    upper = np.where(s <= 5.0, middle, 0.77 - 0.58 / root)
    log = np.log(np.maximum(s, 15.0))
    far = np.sqrt(np.maximum(2.0 * log - np.log(log) - np.log(16.0 * np.pi), 0.0))
    return np.where(s <= 0.2, np.sqrt(s / 2.0), np.where(s <= 15.0, upper, far))


def indices(alpha: Vector, beta: Vector, horizon_pulls: float) -> Vector:
    """Return the index of beliefs Beta(alpha, beta), (K,) each.

    >>> indices(np.array([2.0, 80.0]), np.array([50.0, 920.0]), 30_000.0).round(3).tolist()
    [0.14, 0.091]
    """
    level = ndtr(psi(horizon_pulls / (alpha + beta + 1.0)))
    found: NDArray[np.float64] = np.asarray(betaincinv(alpha, beta, level))
    return found


class HorizonIndex(Bandit):
    """The rule over K arms; deterministic given what it learned, ties to the lowest arm."""

    def __init__(self, rates: Rates, horizon_pulls: float = HORIZON_PULLS) -> None:
        """Choose by these beliefs.

        Args:
            rates: the beliefs; with a discount, no horizon exceeds their memory.
            horizon_pulls: how many pulls profit from what is learned now, to begin with.
        """
        self.rates, self._horizon = rates, min(horizon_pulls, rates.memory_pulls)
        self._indices = indices(rates.alpha, rates.beta, self._horizon)
        self._stale: set[int] = set()

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return the arm with the highest index."""
        if self._stale:
            arms = np.array(sorted(self._stale), dtype=np.int64)
            self._indices[arms] = self._index_of(arms)
            self._stale.clear()
        return int(self._indices.argmax())

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return that arm: nothing else could have been chosen."""
        return Choice(self.draw(features, rng), 1.0)

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Fold in rewards."""
        everything = self.rates.learn(arms, rewards)
        horizon = min(float(self.rates.learned), self.rates.memory_pulls)
        if horizon > HORIZON_STEP * self._horizon:
            self._horizon, everything = horizon, True
        if everything:
            self._indices = self._index_of(np.arange(len(self._indices)))
            self._stale.clear()
        else:
            self._stale.update(arms.tolist())

    def wait_for(self, arm: int) -> None:
        """Count the pull as pending: its arm becomes a little less curious."""
        self.rates.pending[arm] += 1.0
        self._stale.add(arm)

    def _index_of(self, arms: Arms) -> Vector:
        """Return the indices of these arms, their beliefs narrowed by what is pending."""
        rates = self.rates
        alpha = rates.alpha_prior[arms] + rates.rewards[arms]
        beta = rates.beta_prior[arms] + rates.pulls[arms] - rates.rewards[arms]
        widen = 1.0 + rates.pending[arms] / (alpha + beta)
        return indices(alpha * widen, beta * widen, self._horizon)
