"""What every slate from a bundle needs and none changes: worked out once, kept with the bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from attune.beliefs import Beliefs
from attune.contract.bundle import EMBEDDING_DIMENSION, Bundle
from attune.diversity import Similarities
from attune.quantisation import dot, integers, length, quantised

BUCKETS_MAX = 4
"""Bandit buckets whose beliefs are kept: a user has one device, a cohort's bundle may have more."""

Posteriors = Mapping[str, tuple[float, float]]


class KnownItem(NamedTuple):
    """An item that the bundle can place: its code, the code as numbers, their length; category."""

    item_id: str
    code: bytes
    numbers: tuple[int, ...]
    length: float
    category: str


class Columns:
    """A bundle's candidates, ready for arithmetic.

    ``places`` says where a candidate stands; ``items`` are the candidates and the session's other
    items by id; ``user`` is the code of the bundle's user embedding, with its length;
    ``scorer_block`` and ``category_numbers`` belong to ``attune.scorer_inputs``, ``cards`` to
    ``attune.contract.slate_json``.
    """

    __slots__ = (
        "_beliefs",
        "_candidates",
        "cards",
        "category_numbers",
        "items",
        "places",
        "scorer_block",
        "similarities",
        "user",
    )

    def __init__(self, bundle: Bundle) -> None:
        candidates, recents = bundle.candidates, bundle.recents
        self._candidates = candidates
        self._beliefs: dict[str, tuple[Posteriors | None, Beliefs]] = {}
        self.places = {item_id: index for index, item_id in enumerate(candidates.item_ids)}
        self.items = _known_items(
            candidates.item_ids,
            candidates.embeddings,
            [card.category for card in candidates.cards],
        )
        known = [self.items[item_id] for item_id in candidates.item_ids]
        self.similarities = Similarities(
            [item.numbers for item in known], [item.length for item in known]
        )
        self.items |= _known_items(recents.item_ids, recents.embeddings, recents.categories)
        self.cards: dict[str, str] = {}
        self.scorer_block = b""
        self.category_numbers: dict[str, int] = {}
        user = quantised(bundle.user_embedding)
        self.user = (user, length(integers(user)))

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

    def similarity(self, place: int, item: KnownItem) -> float:
        """Return the cosine of a candidate and an item that the bundle can place."""
        other = self.places.get(item.item_id)
        if other is not None:
            return self.similarities.cosine(place, other)
        lengths = self.similarities.lengths[place] * item.length
        return dot(self.similarities.codes[place], item.numbers) / lengths if lengths else 0.0

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
        bundle.derived.append(Columns(bundle))
    return bundle.derived[0]


def _known_items(
    item_ids: Sequence[str], embeddings: bytes, categories: Sequence[str]
) -> dict[str, KnownItem]:
    known: dict[str, KnownItem] = {}
    for index, item_id in enumerate(item_ids):
        code = embeddings[index * EMBEDDING_DIMENSION : (index + 1) * EMBEDDING_DIMENSION]
        numbers = integers(code)
        known[item_id] = KnownItem(item_id, code, numbers, length(numbers), categories[index])
    return known
