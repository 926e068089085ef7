"""What the bandit believes of a bundle's candidates, as columns that many slates read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from attune.posterior import Beta
from attune.thompson import Spread, spread_of


@dataclass(slots=True)
class Beliefs:
    """Posteriors of N candidates: each one's mean, deviation and, once wanted, its tables.

    Worked out once for a bundle under a policy: a slate reads a dozen of them and the arithmetic of
    all would cost as much as the slate.
    """

    posteriors: Sequence[tuple[float, float]]
    means: list[float] = field(init=False)
    deviations: list[float] = field(init=False)
    spreads: list[Spread | None] = field(init=False)
    """The tables that were wanted so far; ``spread`` makes a missing one."""

    def __post_init__(self) -> None:
        totals = [alpha + beta for alpha, beta in self.posteriors]
        pairs = list(zip(self.posteriors, totals, strict=True))
        self.means = [alpha / total for (alpha, _), total in pairs]
        self.deviations = [
            math.sqrt(alpha * beta / (total + 1.0)) / total for (alpha, beta), total in pairs
        ]
        self.spreads = [None] * len(totals)

    def belief(self, index: int) -> Beta:
        """Return a candidate's posterior."""
        return Beta(*self.posteriors[index])

    def spread(self, index: int) -> Spread:
        """Return the tables of a candidate's posterior."""
        found = self.spreads[index]
        if found is None:
            found = self.spreads[index] = spread_of(self.belief(index))
        return found
