"""Rewards: what an interaction with a shown item is worth to the bandit.

A shown item earns the *best* of what the user did with it, not the sum: a click that leads to a
purchase is one success, worth a purchase. So an item's reward per impression stays in [0, 1], as
a Beta posterior needs it.
"""

from attune.contract.event import Action

REWARDS: dict[Action, float] = {
    "view": 0.1,
    "click": 0.5,
    "cart": 0.8,
    "purchase": 1.0,
    "dismiss": 0.0,
}
"""Click and purchase differ by 2, not by their value in money: clicks are what there is to learn
from, and a rare purchase must not make one lucky item the arm of every slate."""


WINDOW_MS = 30 * 60_000
"""How long after a slate was seen its items may earn. A session ends after 30 minutes of silence,
and what is done in another session has other causes than this slate."""


def in_window(shown_at_ms: int, occurred_at_ms: int, window_ms: int = WINDOW_MS) -> bool:
    """Return whether the slate may take credit for an interaction that names it.

    Whoever names a slate has got it, so an interaction that seems to be older is only the other
    one of two clocks.

    >>> in_window(0, WINDOW_MS), in_window(0, WINDOW_MS + 1), in_window(5_000, 0)
    (True, False, True)
    """
    return occurred_at_ms - shown_at_ms <= window_ms


def raised_reward(earned: float, action: Action) -> float:
    """Return what a shown item has earned after one more interaction.

    >>> raised_reward(raised_reward(0.0, "purchase"), "click")
    1.0
    """
    return max(earned, REWARDS[action])
