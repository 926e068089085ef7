"""What is known of each arm's click rate: discounted counts and a Beta prior fitted to all arms."""

import math

import numpy as np
from numpy.typing import NDArray

from origin.bandits.empirical_prior import MEAN_FIRST, STRENGTH_FIRST, fitted, group_means
from origin.bandits.port import Arms, Vector

REFIT_GROWTH = 1.25
"""The prior is fitted again when a quarter more was pulled: some 40 fits in a million pulls."""

REFIT_FIRST = 50.0


class Rates:
    """The beliefs over K arms. Memory is four columns of K, whatever is pulled."""

    def __init__(
        self,
        arm_count: int,
        discount: float = 1.0,
        groups: NDArray[np.int64] | None = None,
        *,
        fit: bool = True,
        prior: tuple[float, float] = (MEAN_FIRST, STRENGTH_FIRST),
    ) -> None:
        """Start with a prior of (mean, strength).

        Args:
            arm_count: K.
            discount: what an observation keeps with each later one, in (0, 1]; below 1 the memory
                is 1 / (1 - discount) pulls, for rates that change.
            groups: the category of each arm, (K,).
            fit: whether the prior is fitted to what arms show.
            prior: mean and strength to start with.
        """
        assert 0.0 < discount <= 1.0
        self.rewards: Vector = np.zeros(arm_count)
        self.pulls: Vector = np.zeros(arm_count)
        self.pending: Vector = np.zeros(arm_count)
        self.learned = 0
        self.memory_pulls = 1.0 / (1.0 - discount) if discount < 1.0 else math.inf
        self._discount, self._groups, self._fit = discount, groups, fit
        self._prior, self._refit_at = prior, REFIT_FIRST
        self.alpha_prior: Vector = np.full(arm_count, prior[0] * prior[1])
        self.beta_prior: Vector = np.full(arm_count, (1.0 - prior[0]) * prior[1])

    @property
    def prior(self) -> tuple[float, float]:
        """Mean and strength of the overall prior."""
        return self._prior

    @property
    def alpha(self) -> Vector:
        """The first parameter of each belief, (K,)."""
        return self.alpha_prior + self.rewards

    @property
    def beta(self) -> Vector:
        """The second parameter of each belief, (K,)."""
        return self.beta_prior + self.pulls - self.rewards

    def learn(self, arms: Arms, rewards: Vector) -> bool:
        """Fold in a batch; return whether every belief changed (discount or a new prior)."""
        if self._discount < 1.0:
            keep = self._discount ** len(arms)
            self.rewards *= keep
            self.pulls *= keep
        if len(arms) == 1:
            self.rewards[arms[0]] += rewards[0]
            self.pulls[arms[0]] += 1.0
        else:
            np.add.at(self.rewards, arms, rewards)
            np.add.at(self.pulls, arms, 1.0)
        np.subtract.at(self.pending, arms, 1.0)
        np.maximum(self.pending, 0.0, out=self.pending)
        self.learned += len(arms)
        if self._fit and self.learned >= self._refit_at:
            self._refit()
            return True
        return self._discount < 1.0

    def _refit(self) -> None:
        """Fit the prior to all arms, and each group's mean."""
        self._refit_at = self.learned * REFIT_GROWTH
        mean, strength = self._prior = fitted(self.rewards, self.pulls, self._prior)
        means = np.full(len(self.pulls), mean)
        if self._groups is not None:
            means = group_means(self.rewards, self.pulls, self._groups, mean, strength)[
                self._groups
            ]
        self.alpha_prior = means * strength
        self.beta_prior = (1.0 - means) * strength
