"""Examination: how likely a position of a slate is looked at, and what a showing there proves.

The idea (position-based model: Craswell et al., "An experimental comparison of click position-bias
models", WSDM 2008). A visitor acts on an item only if he looks at its position and likes it:

    P(act | item i, position k) = examined(k) * appeal(i)

An item that was ignored at position 9 was probably not seen, so that it should count for little
against it; ignored at position 0, it counts in full. A bandit that counts both alike learns where
items stood, not what they are worth. So an ignored showing counts as the *expected* number of
examinations, given that nothing was done (the E-step of the model's EM fit):

    trial(k) = P(examined | ignored) = examined(k) * (1 - appeal) / (1 - examined(k) * appeal)

and a showing that was acted on counts as one. Over many showings the trials of an item come to the
sum of examined(k), so reward over trials estimates its appeal free of position, and a reward
never exceeds its trial, as a Beta posterior needs it. ``appeal`` is the mean over all items: it is
some percent, and the weight hardly depends on it.
"""

from dataclasses import dataclass

EXAMINED_MIN = 0.05
"""Below it a fitted probability is noise, and a single click would outweigh twenty showings."""


@dataclass(frozen=True, slots=True)
class Examination:
    """A fitted model of examination; the default one takes every position as looked at.

    ``examined`` has one probability per position, 1.0 for the first; positions beyond are as the
    last.
    """

    examined: tuple[float, ...] = ()
    appeal: float = 0.0

    def probability(self, position: int) -> float:
        """Return the probability that the position is looked at.

        >>> Examination().probability(3), Examination((1.0, 0.5)).probability(7)
        (1.0, 0.5)
        """
        if not self.examined:
            return 1.0
        return self.examined[min(position, len(self.examined) - 1)]

    def trial(self, position: int) -> float:
        """Return what an ignored showing at the position counts.

        >>> round(Examination((1.0, 0.5), appeal=0.1).trial(1), 3)
        0.474
        """
        examined = self.probability(position)
        return examined * (1.0 - self.appeal) / (1.0 - examined * self.appeal)
