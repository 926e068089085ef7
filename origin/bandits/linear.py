"""LinUCB: rewards linear in features, the optimistic choice within a confidence ellipsoid.

    theta = A^-1 b,  A = I + sum of x x',  b = sum of r x,  score = x' theta + width sqrt(x' A^-1 x)

*Shared*: one theta for all arms, which differ in their features. *Disjoint*: each arm has its own.
Li et al., "A Contextual-Bandit Approach to Personalized News Article Recommendation", 2010.
"""

import numpy as np

from origin.bandits.port import Arms, Bandit, Choice, Matrix, Vector

WIDTH = 0.3
"""Deviations of optimism; 1 and more lose by exploring at click rates of some percent."""


class SharedLinUcb(Bandit):
    """One theta for all arms. Memory is two D x D matrices."""

    def __init__(self, dimension: int, width: float = WIDTH, discount: float = 1.0) -> None:
        """Start knowing nothing; ``discount`` is what an observation keeps with each later one."""
        self._gram, self._moment = np.zeros((dimension, dimension)), np.zeros(dimension)
        self._inverse: Matrix = np.eye(dimension)
        self._theta: Vector = np.zeros(dimension)
        self._width, self._discount = width, discount

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return the most promising arm; features are (K, D)."""
        assert features is not None
        spread = ((features @ self._inverse) * features).sum(axis=1)
        return int((features @ self._theta + self._width * np.sqrt(spread)).argmax())

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return that arm: nothing else could have been chosen."""
        return Choice(self.draw(features, rng), 1.0)

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Fold in rewards; features are (B, D), those of the chosen arms."""
        assert features is not None
        keep = self._discount ** len(rewards)
        self._gram = keep * self._gram + features.T @ features
        self._moment = keep * self._moment + rewards @ features
        if len(rewards) == 1 and keep == 1.0:
            self._inverse = one_more(self._inverse, features[0])
        else:
            self._inverse = np.asarray(
                np.linalg.inv(self._gram + np.eye(len(self._gram))), np.float64
            )
        self._theta = self._inverse @ self._moment


class DisjointLinUcb(Bandit):
    """A theta per arm over the same context. Memory is K times two D x D matrices."""

    def __init__(self, arm_count: int, dimension: int, width: float = WIDTH) -> None:
        """Start knowing nothing about any of K arms."""
        self._inverse = np.tile(np.eye(dimension), (arm_count, 1, 1))  # (K, D, D)
        self._moment = np.zeros((arm_count, dimension))
        self._theta = np.zeros((arm_count, dimension))
        self._width = width

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return the most promising arm; features are (K, D), the context in every row."""
        assert features is not None
        spread = np.einsum("kd,kde,ke->k", features, self._inverse, features)
        means = (features * self._theta).sum(axis=1)
        return int((means + self._width * np.sqrt(spread)).argmax())

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return that arm: nothing else could have been chosen."""
        return Choice(self.draw(features, rng), 1.0)

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Fold in rewards; features are (B, D)."""
        assert features is not None
        for arm, reward, row in zip(arms.tolist(), rewards, features, strict=True):
            self._inverse[arm] = one_more(self._inverse[arm], row)
            self._moment[arm] += reward * row
            self._theta[arm] = self._inverse[arm] @ self._moment[arm]


def one_more(inverse: Matrix, row: Vector) -> Matrix:
    """Return the inverse of A + x x' from that of A (Sherman & Morrison, 1950).

    >>> (one_more(np.eye(2), np.array([1.0, 2.0])) @ np.array([[2, 2], [2, 5]])).round(9).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    turned = inverse @ row
    return inverse - np.outer(turned, turned) / (1.0 + row @ turned)
