"""What every bandit can do: choose an arm with its propensity, and learn from batches of rewards.

Rewards may come late and together. Whoever keeps them waiting hands back arm and features with the
reward, so that nothing is remembered of a choice; at most it is counted (`wait_for`).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Arms = NDArray[np.int64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """An arm, and the probability with which it was chosen."""

    arm: int
    propensity: float


class Bandit(Protocol):
    """A rule over a fixed number of arms; features are (K, D), or None for one without context."""

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return an arm. Faster than `choose`, for simulations: nobody asks for its propensity."""
        ...

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return an arm with the exact probability of this choice."""
        ...

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Fold in rewards in [0, 1] of arms (B,) whose features were (B, D)."""
        ...

    def wait_for(self, arm: int) -> None:
        """Hear that a pull's reward will come after further choices; most need not care.

        Every pull that is waited for must be learned from in the end, with 0 when nothing came.
        """


def drawn(probabilities: Vector, rng: np.random.Generator) -> Choice:
    """Return an arm drawn from a distribution over arms, (K,)."""
    reached = np.cumsum(probabilities)
    arm = int(np.searchsorted(reached, rng.random() * float(reached[-1]), "right"))
    return Choice(arm, float(probabilities[arm]))


class WithFloor(Bandit):
    """A deterministic bandit that plays a uniformly random arm in a share of its choices.

    Every arm then has support, so that what is logged can judge any other policy; on top of a
    greedy bandit it is epsilon-greedy.
    """

    def __init__(self, bandit: Bandit, arm_count: int, share: float) -> None:
        """Explore in this share of choices, in [0, 1]."""
        self._bandit, self._count, self._share = bandit, arm_count, share

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return an arm."""
        if rng.random() < self._share:
            return int(rng.integers(self._count))
        return self._bandit.draw(features, rng)

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return an arm; its propensity counts both ways in which it can be reached."""
        favourite = self._bandit.choose(features, rng)
        assert favourite.propensity == 1.0, "the probabilities of a bandit that draws are not known"
        arm = favourite.arm
        if rng.random() < self._share:
            arm = int(rng.integers(self._count))
        uniform = self._share / self._count
        return Choice(arm, uniform + (1.0 - self._share if arm == favourite.arm else 0.0))

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Let the inner bandit learn."""
        self._bandit.learn(arms, rewards, features)

    def wait_for(self, arm: int) -> None:
        """Tell the inner bandit."""
        self._bandit.wait_for(arm)


class Uniform(Bandit):
    """Random choice: what everything is measured against."""

    def __init__(self, arm_count: int) -> None:
        """Choose among so many arms."""
        self._count = arm_count

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return any arm."""
        return int(rng.integers(self._count))

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return any arm."""
        return Choice(self.draw(features, rng), 1.0 / self._count)

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Learn nothing."""
