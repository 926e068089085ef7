"""The store in memory: the readable specification of the port, and where replays run.

Exact where PostgreSQL approximates (``nearest`` compares with every item), bounded by the memory
of one process, gone when it ends.
"""

import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.erasure import ErasureReceipt
from attune.contract.event import Impression
from attune.contract.item import Item
from attune.popularity import HALF_LIVES_HOURS, TRENDING
from origin.storage.memory_learning import MemoryLearning, MemoryTables
from origin.storage.port import (
    SEEN_ACTIONS,
    Embedding,
    ItemRow,
    LearningTransaction,
    Neighbour,
    PolicyState,
    RewardCount,
    Scored,
    StoreCounts,
    UserRow,
    UserState,
    seen_items,
)

Number = TypeVar("Number", bound=np.generic)


class MemoryStore:
    """Serving, catalogue and learning in one process."""

    def __init__(self) -> None:
        self._tables = MemoryTables()
        self._index = _ItemIndex()

    async def user_state(self, user_id: str) -> UserState:
        """Return what is known of the user; an empty state for an unknown one."""
        row = self._tables.users.get(user_id)
        if row is None:
            return UserState(UserRow(user_id))
        met = self._tables.user_items.get(user_id, {}).values()
        known = [entry for entry in met if entry.action in SEEN_ACTIONS]
        known.sort(key=lambda entry: entry.occurred_at_ms, reverse=True)
        return UserState(row, seen_items(row, (entry.item_id for entry in known)))

    async def nearest(self, embedding: Embedding, limit: int) -> Sequence[Scored]:
        """Return the available items of greatest inner product with ``embedding``, best first."""
        return self._index.best(self._index.embeddings() @ embedding, limit)

    async def together(self, item_ids: Sequence[str], limit: int) -> Sequence[Neighbour]:
        """Return up to ``limit`` neighbours of each item, strongest first per item."""
        return [pair for seed in item_ids for pair in self._tables.strongest(seed, limit)]

    async def trending(self, limit: int, category: str | None = None) -> Sequence[Scored]:
        """Return the available items of highest level at ``TRENDING``, best first."""
        levels = self._index.levels()[:, TRENDING]
        if category is not None:
            levels = np.where(self._index.in_category(category), levels, -np.inf)
        return self._index.best(levels, limit)

    async def newest(self, limit: int) -> Sequence[Scored]:
        """Return the available items seen first most recently; the score is when, in ms."""
        return self._index.best(self._index.first_seen(), limit)

    async def item_rows(self, item_ids: Sequence[str]) -> Mapping[str, ItemRow]:
        """Return the rows of those items that exist."""
        items = self._tables.items
        return {item_id: items[item_id] for item_id in item_ids if item_id in items}

    async def policy_counts(self, limit: int) -> Sequence[RewardCount]:
        """Return the counts of the ``limit`` most shown (item, bucket) pairs."""
        counts = sorted(self._tables.rewards.values(), key=lambda count: -count.impressions)
        return self._placed(counts)[:limit]

    async def policy_state(self, limit: int, group: str, topic: str) -> PolicyState:
        """Return ``policy_counts`` with the offsets of the group that counts."""
        offsets = self._tables.offsets.items()
        covers = {key[2]: offset for key, offset in offsets if key[:2] == (group, topic)}
        return PolicyState(await self.policy_counts(limit), covers)

    def _placed(self, counts: Iterable[RewardCount]) -> list[RewardCount]:
        """Return the counts of items that exist, with their categories."""
        items = self._tables.items
        return [
            replace(count, category=items[count.item_id].item.category)
            for count in counts
            if count.item_id in items
        ]

    async def recent_impressions(self, limit: int) -> Sequence[Impression]:
        """Return the latest impressions, newest first."""
        shown = sorted(
            self._tables.outcomes.impressions.values(), key=lambda one: -one.occurred_at_ms
        )
        return shown[:limit]

    async def item(self, item_id: str) -> ItemRow | None:
        """Return the item, or None."""
        return self._tables.items.get(item_id)

    async def items_after(self, item_id: str, limit: int) -> Sequence[ItemRow]:
        """Return the items that follow ``item_id`` in the order of ids ("" starts)."""
        following = sorted(key for key in self._tables.items if key > item_id)
        return [self._tables.items[key] for key in following[:limit]]

    async def put_items(self, items: Iterable[Item], now_ms: int) -> int:
        """Insert or replace the items, keep what was learned; return how many were new."""
        new = 0
        for item in items:
            row = self._tables.items.get(item.item_id)
            new += row is None
            changed = ItemRow(item, now_ms) if row is None else replace(row, item=item)
            self._put(changed)
        return new

    async def put_embeddings(self, version: str, embeddings: Mapping[str, Embedding]) -> int:
        """Set the embeddings of items that exist; return how many."""
        count = 0
        for item_id, embedding in embeddings.items():
            row = self._tables.items.get(item_id)
            if row is not None:
                self._put(replace(row, embedding=embedding, embedding_version=version))
                count += 1
        return count

    async def delete_item(self, item_id: str) -> bool:
        """Remove the item and all that was learned of it; return whether it existed."""
        self._index.remove(item_id)
        return self._tables.forget_item(item_id)

    async def counts(self) -> StoreCounts:
        """Return how much the store holds."""
        tables = self._tables
        return StoreCounts(
            items=len(tables.items),
            items_with_embedding=sum(row.embedding is not None for row in tables.items.values()),
            users=len(tables.users),
            interactions=sum(row.interactions for row in tables.users.values()),
            impressions=len(tables.outcomes.impressions),
            dead_letters=len(tables.dead_letters),
        )

    async def receipt(self, erasure_id: str) -> ErasureReceipt | None:
        """Return the receipt of an erasure, None while the request was not carried out."""
        return self._tables.receipts.get(erasure_id)

    def transaction(self) -> AbstractAsyncContextManager[LearningTransaction]:
        """Return a transaction: committed when its block ends, dropped when it raises."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[LearningTransaction]:
        learning = MemoryLearning(self._tables)
        yield learning
        for item_id in learning.commit():
            self._index.put(self._tables.items[item_id])

    def _put(self, row: ItemRow) -> None:
        self._tables.put_item(row)
        self._index.put(row)


class _ItemIndex:
    """Columns of numbers over the items, so that a question to all of them is one operation."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._categories: list[str] = []
        self._levels = np.zeros((0, len(HALF_LIVES_HOURS)))
        self._embeddings = np.zeros((0, EMBEDDING_DIMENSION), dtype=np.float32)
        self._first_seen = np.zeros(0)
        self._available = np.zeros(0, dtype=bool)

    def levels(self) -> NDArray[np.float64]:
        """Return (I, H)."""
        return self._levels[: len(self._ids)]

    def embeddings(self) -> NDArray[np.float32]:
        """Return (I, D)."""
        return self._embeddings[: len(self._ids)]

    def first_seen(self) -> NDArray[np.float64]:
        """Return (I,), in ms."""
        return self._first_seen[: len(self._ids)]

    def in_category(self, category: str) -> NDArray[np.bool_]:
        """Return (I,)."""
        return np.array([name == category for name in self._categories], dtype=bool)

    def put(self, row: ItemRow) -> None:
        """Insert or replace the item's numbers."""
        item_id = row.item.item_id
        place = self._places.setdefault(item_id, len(self._ids))
        if place == len(self._ids):
            self._append(item_id)
        self._categories[place] = row.item.category
        self._levels[place] = row.levels or -math.inf
        self._embeddings[place] = 0.0 if row.embedding is None else row.embedding
        self._first_seen[place] = row.first_seen_ms
        self._available[place] = row.item.available

    def remove(self, item_id: str) -> None:
        """Let no question find the item again."""
        if (place := self._places.pop(item_id, None)) is not None:
            self._available[place] = False

    def best(self, scores: NDArray[np.floating[Any]], limit: int) -> list[Scored]:
        """Return the available items of finite score, best first, ties in the order of arrival."""
        usable = np.where(self._available[: len(self._ids)], scores, -np.inf)
        limit = min(limit, len(usable))
        if limit == 0:
            return []
        worst = np.partition(usable, len(usable) - limit)[len(usable) - limit]
        found = np.flatnonzero(usable >= worst)
        found = found[np.argsort(-usable[found], kind="stable")][:limit]
        found = found[usable[found] > -np.inf]
        places: list[int] = found.tolist()
        named = [self._ids[place] for place in places]
        return list(map(Scored, named, usable[found].tolist()))

    def _append(self, item_id: str) -> None:
        if len(self._ids) == len(self._available):
            rows = max(1024, 2 * len(self._ids))
            self._levels = _grown(self._levels, rows)
            self._embeddings = _grown(self._embeddings, rows)
            self._first_seen = _grown(self._first_seen, rows)
            self._available = _grown(self._available, rows)
        self._ids.append(item_id)
        self._categories.append("")


def _grown(column: NDArray[Number], rows: int) -> NDArray[Number]:
    grown = np.zeros((rows, *column.shape[1:]), dtype=column.dtype)
    grown[: len(column)] = column
    return grown
