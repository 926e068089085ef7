"""Diversity: how much an item repeats what already stands above it.

Maximal marginal relevance (Carbonell & Goldstein, 1998): each position takes the item whose score,
lowered by its similarity to the items already chosen, is highest. The lowering is a factor and not
a difference, so that one setting serves scores of any scale.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from attune.quantisation import dot, length

UNKNOWN = 2.0
"""No cosine: this pair has not been looked at."""


class Similarities:
    """Cosines between N quantised vectors, each worked out when first asked for and then kept.

    N x N float32: 58 KB for the 120 candidates of a bundle.
    """

    __slots__ = ("_cosines", "_count", "codes", "lengths")

    def __init__(
        self, codes: Sequence[Sequence[int]], lengths: Sequence[float] | None = None
    ) -> None:
        self.codes = codes
        self.lengths = lengths if lengths is not None else [length(code) for code in codes]
        self._count = len(codes)
        self._cosines: array[float] | None = None

    def matrix(self) -> tuple[array[float], int]:
        """Return the cosines row by row, and the length of a row.

        Entries that are ``UNKNOWN`` are filled by ``fill``. The way for loops; ``cosine`` is for
        everybody else.
        """
        if self._cosines is None:
            self._cosines = array("f", [UNKNOWN]) * (self._count * self._count)
        return self._cosines, self._count

    def cosine(self, one: int, other: int) -> float:
        """Return the cosine of two of the vectors."""
        cosines, width = self.matrix()
        value = cosines[one * width + other]
        return self.fill(one, other) if value == UNKNOWN else value

    def fill(self, one: int, other: int) -> float:
        """Work out one cosine, 0 where one of the vectors is zero, and keep it for both orders.

        >>> round(Similarities([[127, 0], [127, 127], [0, 127]]).fill(0, 1), 3)
        0.707
        """
        cosines, width = self.matrix()
        lengths = self.lengths[one] * self.lengths[other]
        value = dot(self.codes[one], self.codes[other]) / lengths if lengths > 0.0 else 0.0
        cosines[one * width + other] = cosines[other * width + one] = value
        return cosines[one * width + other]
