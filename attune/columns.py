"""What every slate from a bundle needs and none changes: worked out once, kept with the bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attune.beliefs import Beliefs
from attune.contract.bundle import Bundle, Candidates
from attune.diversity import Similarities
from attune.quantisation import integers

BUCKETS_MAX = 4
"""Bandit buckets whose beliefs are kept: a user has one device, a cohort's bundle may have more."""

Posteriors = Mapping[str, tuple[float, float]]


class Columns:
    """A bundle's candidates, ready for arithmetic."""

    __slots__ = ("_beliefs", "_candidates", "places", "similarities")

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._beliefs: dict[str, tuple[Posteriors | None, Beliefs]] = {}
        self.places = {item_id: index for index, item_id in enumerate(candidates.item_ids)}
        codes = [integers(candidates.embedding(index)) for index in range(len(candidates))]
        self.similarities = Similarities(codes)

    def beliefs(self, bucket: str, posteriors: Posteriors | None) -> Beliefs:
        """Return the candidates' posteriors: those of the policy where it has them, else their own.

        Kept for as long as the policy hands out the same mapping.
        """
        kept = self._beliefs.get(bucket)
        if kept is not None and kept[0] is posteriors:
            return kept[1]
        beliefs = Beliefs(self._posteriors(posteriors or {}))
        if len(self._beliefs) >= BUCKETS_MAX:
            self._beliefs.clear()
        self._beliefs[bucket] = (posteriors, beliefs)
        return beliefs

    def of_categories(self, categories: Iterable[str]) -> list[int]:
        """Return the places of the candidates of some categories, in their order."""
        wanted = set(categories)
        cards = self._candidates.cards
        return [index for index, card in enumerate(cards) if card.category in wanted]

    def _posteriors(self, fresher: Posteriors) -> list[tuple[float, float]]:
        candidates = self._candidates
        own = zip(candidates.alpha, candidates.beta, strict=True)
        return [
            fresher.get(item_id, pair)
            for item_id, pair in zip(candidates.item_ids, own, strict=True)
        ]


def columns_of(bundle: Bundle) -> Columns:
    """Return the bundle's columns, worked out by the first slate that asks."""
    if not bundle.derived:
        bundle.derived.append(Columns(bundle.candidates))
    return bundle.derived[0]
