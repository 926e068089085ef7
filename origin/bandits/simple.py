"""Rules over click rates that need one line each: greedy, UCB1, Beta Thompson sampling."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from origin.bandits.port import Arms, Bandit, Choice, Matrix, Vector, drawn
from origin.bandits.rates import Rates

NODES = 48
SPREAD_DEVIATIONS = 6.0


class Greedy(Bandit):
    """The arm with the highest expected rate; with a fitted prior this is no fool.

    An arm that disappoints falls below those never tried, so it goes through the arms until one
    keeps its promise (Bayati et al., "Unreasonable Effectiveness of Greedy Algorithms in
    Multi-Armed Bandit with Many Arms", 2020).
    """

    def __init__(self, rates: Rates) -> None:
        """Choose by these beliefs."""
        self.rates = rates

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return the best arm; of equals the first."""
        rates = self.rates
        return int((rates.alpha / (rates.alpha_prior + rates.beta_prior + rates.pulls)).argmax())

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return that arm: nothing else could have been chosen."""
        return Choice(self.draw(features, rng), 1.0)

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Fold in rewards."""
        self.rates.learn(arms, rewards)


class Ucb1(Bandit):
    """The highest mean plus sqrt(2 ln t / n); knows no prior (Auer et al., 2002)."""

    def __init__(self, arm_count: int) -> None:
        """Choose among so many arms."""
        self._rewards: Vector = np.zeros(arm_count)
        self._pulls: Vector = np.zeros(arm_count)

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return the arm; each is tried once first."""
        untried = self._pulls == 0.0
        if untried.any():
            return int(untried.argmax())
        bonus = np.sqrt(2.0 * np.log(self._pulls.sum()) / self._pulls)
        return int((self._rewards / self._pulls + bonus).argmax())

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return that arm: nothing else could have been chosen."""
        return Choice(self.draw(features, rng), 1.0)

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Fold in rewards."""
        np.add.at(self._rewards, arms, rewards)
        np.add.at(self._pulls, arms, 1.0)


class BetaThompson(Bandit):
    """Each arm as often as it may be the best (Thompson, 1933; Chapelle & Li, 2011)."""

    def __init__(self, rates: Rates) -> None:
        """Choose by these beliefs."""
        self.rates = rates

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return the arm with the largest draw from its belief."""
        return int(rng.beta(self.rates.alpha, self.rates.beta).argmax())

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return an arm from the distribution of the largest draw: its propensity is exact."""
        return drawn(matching_probabilities(self.rates.alpha, self.rates.beta), rng)

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Fold in rewards."""
        self.rates.learn(arms, rewards)


def matching_probabilities(alpha: Vector, beta: Vector) -> Vector:
    """Return the probability that each of Beta(alpha, beta) draws the largest, (K,); sums to 1.

    The kernel's quadrature (``attune.thompson``) for many arms at once: over a grid, an arm's mass
    in a cell times the others' mass below it. 64 arms take 1 ms, 1,000 take 20.

    >>> matching_probabilities(np.array([30.0, 3.0, 1.0]), np.array([70.0, 7.0, 99.0])).round(2)
    array([0.53, 0.47, 0.  ])
    """
    total = alpha + beta
    means = alpha / total
    reach = SPREAD_DEVIATIONS * np.sqrt(means * (1.0 - means) / (total + 1.0))
    low = max(float((means - reach).max()), 0.0)
    rivals = np.flatnonzero(means + reach > low)
    high = min(float((means + reach).max()), 1.0)
    # Cells are narrow where rates lie close together, above the best mean's lower end.
    edges = low + (high - low) * np.linspace(0.0, 1.0, NODES) ** 1.5
    below: NDArray[np.float64] = np.asarray(
        betainc(alpha[rivals, None], beta[rivals, None], edges[None, :])
    )
    below[:, 0], below[:, -1] = 0.0, 1.0
    middles = np.maximum(0.5 * (below[:, 1:] + below[:, :-1]), 1e-300)
    everyone = np.exp(np.log(middles).sum(axis=0))
    shares = ((below[:, 1:] - below[:, :-1]) * everyone / middles).sum(axis=1)
    found = np.zeros(len(alpha))
    found[rivals] = shares / shares.sum()
    return found
