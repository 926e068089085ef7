"""Thompson sampling over a logistic model that all arms share.

    P(reward | x) = sigmoid(x' w),   w ~ N(mean, diag(1 / precision))

One draw of w ranks all arms: what is learned of one teaches about those that resemble it. A batch
moves the mean to the most probable weights (Newton) and adds each observation's curvature
p (1 - p) x^2 to the precision: a diagonal Laplace approximation, D numbers of memory twice over
(Chapelle & Li, "An Empirical Evaluation of Thompson Sampling", 2011, algorithm 3).

The probability of a choice has no closed form, because arms share w. So `choose` draws ``DRAWS``
weights, mixes the shares of their winners with a small uniform floor, and picks from *that*: given
the draws, its propensity is exact, and every arm has support.
"""

import numpy as np
from scipy.special import expit

from origin.bandits.port import Arms, Bandit, Choice, Matrix, Vector, drawn

DRAWS = 128
FLOOR = 0.005
NEWTON_STEPS = 8


class LogisticThompson(Bandit):
    """The rule for features of D numbers."""

    def __init__(
        self,
        dimension: int,
        *,
        precision: float = 1.0,
        spread: float = 1.0,
        discount: float = 1.0,
    ) -> None:
        """Start with w ~ N(0, 1 / precision).

        Args:
            dimension: D.
            precision: of the prior; features should be of the order of one.
            spread: factor on the deviations that are drawn; below 1 it explores less.
            discount: what an observation's curvature keeps with each later one.
        """
        self.mean: Vector = np.zeros(dimension)
        self.precision: Vector = np.full(dimension, precision)
        self._prior, self._spread, self._discount = precision, spread, discount

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return the best arm under one draw of the weights; features are (K, D)."""
        assert features is not None
        deviations = self._spread / np.sqrt(self.precision)
        weights = self.mean + deviations * rng.standard_normal(len(self.mean))
        return int((features @ weights).argmax())

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return an arm; its propensity is exact given the draws of the weights."""
        assert features is not None
        deviations = self._spread / np.sqrt(self.precision)
        weights = self.mean + deviations * rng.standard_normal((DRAWS, len(self.mean)))
        winners = (features @ weights.T).argmax(axis=0)  # (DRAWS,)
        count = len(features)
        shares = np.bincount(winners, minlength=count) / DRAWS
        return drawn((1.0 - FLOOR) * shares + FLOOR / count, rng)

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Fold in rewards; features are (B, D), those of the chosen arms."""
        assert features is not None
        if self._discount < 1.0:
            keep = self._discount ** len(rewards)
            self.precision = self._prior + keep * (self.precision - self._prior)
        one = len(rewards) == 1
        self.mean = (
            self._moved_by_one(features[0], float(rewards[0]))
            if one
            else self._moved(features, rewards)
        )
        rates = expit(features @ self.mean)
        self.precision = self.precision + (rates * (1.0 - rates)) @ features**2

    def _moved_by_one(self, row: Vector, reward: float) -> Vector:
        """Return the most probable weights after one observation.

        They lie on the line mean + a x / precision with a = reward - sigmoid(x' w): one equation
        in one unknown, 10 us instead of a system of D.
        """
        along = row / self.precision
        start, slope = float(row @ self.mean), float(row @ along)
        amount = 0.0
        for _ in range(NEWTON_STEPS):
            rate = float(expit(start + amount * slope))
            miss = amount - reward + rate
            amount -= miss / (1.0 + slope * rate * (1.0 - rate))
            if abs(miss) < 1e-9:
                break
        return self.mean + amount * along

    def _moved(self, features: Matrix, rewards: Vector) -> Vector:
        """Return the most probable weights after a batch."""
        weights = self.mean
        for _ in range(NEWTON_STEPS):
            rates = expit(features @ weights)
            gradient = features.T @ (rewards - rates) - self.precision * (weights - self.mean)
            curved = features * (rates * (1.0 - rates))[:, None]
            hessian = features.T @ curved + np.diag(self.precision)
            step: Vector = np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
            weights = weights + step
            if float(np.abs(step).max()) < 1e-6:
                break
        return weights
