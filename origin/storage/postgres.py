"""The store in PostgreSQL with pgvector: serving's reads and the catalogue."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from attune.contract.erasure import ErasureReceipt
from attune.contract.event import Impression
from attune.contract.item import Item
from attune.covisitation import Neighbour
from attune.popularity import TRENDING
from origin.storage.database import OUTAGES, encode_halfvec
from origin.storage.named_sql import statements
from origin.storage.port import (
    SEEN_ACTIONS,
    SEEN_MAX,
    Embedding,
    ItemRow,
    LearningTransaction,
    PolicyState,
    RewardCount,
    Scored,
    StoreCounts,
    StoreUnavailableError,
    UserRow,
    UserState,
    seen_items,
)
from origin.storage.postgres_erasure import read_receipt
from origin.storage.postgres_learning import PostgresLearning
from origin.storage.postgres_rows import impression, item_object, item_row, user_row

if TYPE_CHECKING:
    from origin.storage.database import Connection, Pool

ITEMS_PER_STATEMENT = 1_000
"""Keeps one statement's JSON at about a megabyte, and its work on the index at a second."""

SQL = statements("store")


class PostgresStore:
    """Serving, catalogue and learning over one pool of connections."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def user_state(self, user_id: str) -> UserState:
        """Return what is known of the user; an empty state for an unknown one."""
        async with reaching(self._pool) as connection:
            record = await connection.fetchrow(
                SQL["user_state"], user_id, list(SEEN_ACTIONS), SEEN_MAX
            )
        if record is None:
            return UserState(UserRow(user_id))
        row = user_row(record, user_id)
        return UserState(row, seen_items(row, record["seen"]))

    async def nearest(self, embedding: Embedding, limit: int) -> Sequence[Scored]:
        """Return the available items of greatest inner product with ``embedding``, best first."""
        return await self._scored("nearest", embedding, limit)

    async def trending(self, limit: int, category: str | None = None) -> Sequence[Scored]:
        """Return the available items of highest trending level, best first."""
        return await self._scored("trending", limit, category, TRENDING + 1)

    async def newest(self, limit: int) -> Sequence[Scored]:
        """Return the available items seen first most recently; the score is when, in ms."""
        return await self._scored("newest", limit)

    async def together(self, item_ids: Sequence[str], limit: int) -> Sequence[Neighbour]:
        """Return up to ``limit`` neighbours of each item, strongest first per item."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["together"], list(item_ids), limit)
        return [Neighbour(*record) for record in records]

    async def item_rows(self, item_ids: Sequence[str]) -> Mapping[str, ItemRow]:
        """Return the rows of those items that exist, without descriptions and attributes."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["item_rows"], list(item_ids))
        return {record["item_id"]: item_row(record) for record in records}

    async def policy_counts(self, limit: int) -> Sequence[RewardCount]:
        """Return the counts of the ``limit`` most shown (item, bucket) pairs."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["policy_counts"], limit)
        return [RewardCount(*record) for record in records]

    async def policy_state(self, limit: int, group: str, topic: str) -> PolicyState:
        """Return ``policy_counts`` with the offsets of the group that counts, of one instant."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["policy_state"], limit, group, topic)
        return PolicyState(
            [RewardCount(*record[:5]) for record in records if record["item_id"] is not None],
            {one["partition"]: one["next_offset"] for one in records if one["item_id"] is None},
        )

    async def recent_impressions(self, limit: int) -> Sequence[Impression]:
        """Return the latest impressions, newest first."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["recent_impressions"], limit)
        return [impression(record) for record in records]

    async def item(self, item_id: str) -> ItemRow | None:
        """Return the item, or None."""
        async with reaching(self._pool) as connection:
            record = await connection.fetchrow(SQL["item"], item_id)
        return None if record is None else item_row(record)

    async def items_after(self, item_id: str, limit: int) -> Sequence[ItemRow]:
        """Return the items that follow ``item_id`` in the order of ids ("" starts)."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["items_after"], item_id, limit)
        return [item_row(record) for record in records]

    async def put_items(self, items: Iterable[Item], now_ms: int) -> int:
        """Insert or replace the items, keep what was learned; return how many were new."""
        latest = {item.item_id: item_object(item) for item in items}
        objects = list(latest.values())
        new = 0
        async with reaching(self._pool) as connection, connection.transaction():
            for start in range(0, len(objects), ITEMS_PER_STATEMENT):
                rows = json.dumps(objects[start : start + ITEMS_PER_STATEMENT])
                records = await connection.fetch(SQL["put_items"], rows, now_ms)
                new += sum(record["is_new"] for record in records)
        return new

    async def put_embeddings(self, version: str, embeddings: Mapping[str, Embedding]) -> int:
        """Set the embeddings of items that exist; return how many."""
        item_ids = sorted(embeddings)
        updated = 0
        async with reaching(self._pool) as connection:
            for start in range(0, len(item_ids), ITEMS_PER_STATEMENT):
                part = item_ids[start : start + ITEMS_PER_STATEMENT]
                vectors = [encode_halfvec(embeddings[item_id]) for item_id in part]
                status = await connection.execute(SQL["put_embeddings"], part, vectors, version)
                updated += int(status.rpartition(" ")[2])
        return updated

    async def delete_item(self, item_id: str) -> bool:
        """Remove the item and all that was learned of it; return whether it existed."""
        async with reaching(self._pool) as connection:
            return await connection.fetchval(SQL["delete_item"], item_id) > 0

    async def counts(self) -> StoreCounts:
        """Return how much the store holds."""
        async with reaching(self._pool) as connection:
            record = await connection.fetchrow(SQL["counts"])
        assert record is not None, "an aggregate always has a row"
        return StoreCounts(*record)

    async def group_offsets(self, topic: str) -> Mapping[str, Mapping[int, int]]:
        """Return how far each group of stream processors is, per partition."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["group_offsets"], topic)
        offsets: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for group, partition, next_offset in records:
            offsets[group][partition] = next_offset
        return offsets

    async def receipt(self, erasure_id: str) -> ErasureReceipt | None:
        """Return the receipt of an erasure, None while the request was not carried out."""
        async with reaching(self._pool) as connection:
            return await read_receipt(connection, erasure_id)

    def transaction(self) -> AbstractAsyncContextManager[LearningTransaction]:
        """Return a transaction: committed when its block ends, rolled back when it raises."""
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[LearningTransaction]:
        async with reaching(self._pool) as connection, connection.transaction():
            yield PostgresLearning(connection)

    async def _scored(self, statement: str, *arguments: object) -> list[Scored]:
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL[statement], *arguments)
        return [Scored(*record) for record in records]


@asynccontextmanager
async def reaching(pool: "Pool") -> "AsyncIterator[Connection]":
    """Yield a connection; an outage while it is used becomes StoreUnavailableError."""
    try:
        async with pool.acquire() as connection:
            yield connection
    except OUTAGES as error:
        raise StoreUnavailableError(f"PostgreSQL: {error or type(error).__name__}") from error
