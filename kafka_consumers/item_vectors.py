"""The embeddings of items that interactions name, in one matrix that outlives a batch.

An item's embedding changes when a training or its content says so. A processor works with what it
has read for a while, which delays a new embedding by that much and saves reading hundreds of
items for every batch.
"""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from origin.storage.port import LearningTransaction

FRESH_S = 10.0
"""How long an embedding is used before it is read again."""

ITEMS_MAX = 200_000
"""Items held, 256 bytes each: 50 MB."""


class ItemVectors:
    """Embeddings of items by id."""

    def __init__(self, fresh_s: float = FRESH_S) -> None:
        self._fresh_s = fresh_s
        self._until_s = float("-inf")
        self._clear()

    async def of(
        self, item_ids: Sequence[str], transaction: LearningTransaction
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the items' embeddings (I, 64), and which of them have one (I,)."""
        now_s = time.monotonic()
        if now_s >= self._until_s or len(self._places) + len(item_ids) > ITEMS_MAX:
            self._clear()
            self._until_s = now_s + self._fresh_s
        unknown = [item_id for item_id in item_ids if item_id not in self._places]
        if unknown:
            self._add(unknown, dict(await transaction.embeddings(unknown)))
        places = np.array([self._places[item_id] for item_id in item_ids], dtype=np.int64)
        return self._vectors[places], self._known[places]

    def _add(self, item_ids: Sequence[str], found: dict[str, NDArray[np.float32]]) -> None:
        start = len(self._places)
        self._places.update(zip(item_ids, range(start, start + len(item_ids)), strict=True))
        nothing = np.zeros(EMBEDDING_DIMENSION, dtype=np.float32)
        added = [found.get(item_id, nothing) for item_id in item_ids]
        has = [item_id in found for item_id in item_ids]
        self._vectors = np.concatenate((self._vectors, np.stack(added)))
        self._known = np.concatenate((self._known, np.array(has, dtype=bool)))

    def _clear(self) -> None:
        self._places: dict[str, int] = {}
        self._vectors = np.zeros((0, EMBEDDING_DIMENSION), dtype=np.float32)
        self._known = np.zeros(0, dtype=bool)
