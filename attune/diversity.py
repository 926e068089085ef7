"""Diversity: how much an item repeats what already stands above it.

Maximal marginal relevance (Carbonell & Goldstein, 1998): each position takes the item whose score,
lowered by its similarity to the items already chosen, is highest. The lowering is a factor and not
a difference, so that one setting serves scores of any scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from attune.quantisation import dot, length


@dataclass(slots=True)
class Redundancy:
    """Each candidate's largest cosine with the items chosen so far, kept up to date."""

    codes: Sequence[Sequence[int]]
    _lengths: list[float] = field(init=False)
    _largest: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self._lengths = [length(code) for code in self.codes]
        self._largest = [0.0] * len(self.codes)

    def choose(self, chosen: int) -> None:
        """Take note that a candidate has been given a position."""
        code, code_length = self.codes[chosen], self._lengths[chosen]
        if code_length == 0.0:
            return
        for index, other in enumerate(self.codes):
            if self._lengths[index] > 0.0:
                similarity = dot(code, other) / (code_length * self._lengths[index])
                if similarity > self._largest[index]:
                    self._largest[index] = similarity

    def factor(self, index: int, diversity: float) -> float:
        """Return what the candidate's score is multiplied by: 1 (new) down to 1 - diversity.

        >>> redundancy = Redundancy([[127, 0], [127, 0], [0, 127]])
        >>> redundancy.choose(0)
        >>> redundancy.factor(1, 0.3), redundancy.factor(2, 0.3)
        (0.7, 1.0)
        """
        return 1.0 - diversity * self._largest[index]
