"""Vowpal Wabbit as one of the bandits, to be measured against: needs the extra `bench`.

Without context its table of arms is used (``--cb_explore``), with context its action-dependent
features (``--cb_explore_adf``); rewards are negated costs. Bietti, Agarwal & Langford, "A
Contextual Bandit Bake-off", 2021.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

import numpy as np

from origin.bandits.port import Arms, Bandit, Choice, Matrix, Vector, drawn

OPTIONS = {
    "vw_epsilon": "--epsilon 0.1 --cb_type dm",
    "vw_softmax": "--softmax --lambda 10",
    "vw_squarecb": "--squarecb",
}


class Workspace(Protocol):
    """What is used of the library, which comes without types."""

    def predict(self, example: str | Sequence[str]) -> Sequence[float]:
        """Return the probabilities of all arms."""
        ...

    def learn(self, example: str | Sequence[str]) -> None:
        """Learn from one example."""
        ...


def workspace(arguments: str) -> Workspace:
    """Return a new instance of the library.

    Raises:
        ModuleNotFoundError: when it is not installed.
    """
    library = import_module("vowpalwabbit")
    return cast("Workspace", library.Workspace(f"{arguments} --quiet"))


class VowpalWabbit(Bandit):
    """The library behind our port. What was chosen last is what is learned from next."""

    def __init__(self, options: str, arm_count: int, *, contextual: bool, seed: int) -> None:
        """Open it with these exploration options."""
        kind = "--cb_explore_adf" if contextual else f"--cb_explore {arm_count}"
        self._library = workspace(f"{kind} {options} --random_seed {seed + 1}")
        self._lines: list[str] = []
        self._chosen = Choice(0, 1.0)

    def draw(self, features: Matrix | None, rng: np.random.Generator) -> int:
        """Return an arm."""
        return self.choose(features, rng).arm

    def choose(self, features: Matrix | None, rng: np.random.Generator) -> Choice:
        """Return an arm with its probability."""
        if features is None:
            self._lines = ["|x constant"]
            probabilities = np.array(self._library.predict(self._lines[0]))
        else:
            self._lines = [described(row) for row in features]
            probabilities = np.array(self._library.predict(self._lines))
        self._chosen = drawn(probabilities / probabilities.sum(), rng)
        return self._chosen

    def learn(self, arms: Arms, rewards: Vector, features: Matrix | None) -> None:
        """Learn the reward of the last choice."""
        arm, propensity = self._chosen.arm, self._chosen.propensity
        assert len(arms) == 1
        assert int(arms[0]) == arm
        cost = -float(rewards[0])
        if features is None:
            self._library.learn(f"{arm + 1}:{cost}:{propensity} {self._lines[0]}")
        else:
            label = f"0:{cost}:{propensity} {self._lines[arm]}"
            self._library.learn([*self._lines[:arm], label, *self._lines[arm + 1 :]])


def described(row: Vector) -> str:
    """Return an arm's features as the library reads them.

    >>> described(np.array([1.0, -0.25]))
    '|f 0:1 1:-0.25'
    """
    return "|f " + " ".join(f"{place}:{value:.5g}" for place, value in enumerate(row))
