"""What training reads of PostgreSQL in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attune.contract.item import Item
from origin.storage.named_sql import statements
from origin.storage.port import Embedding
from origin.storage.postgres import reaching

if TYPE_CHECKING:
    from origin.storage.database import Pool

SQL = statements("training")

PAGE = 5_000
"""Rows per statement: some megabytes."""

HISTORY_MAX = 5_000_000
"""Most recent interactions that embeddings are learned from: 40 bytes each in memory."""


@dataclass(frozen=True, slots=True)
class EmbeddedItem:
    """An item's content with the embedding it has now, None where it has none."""

    item: Item
    embedding: Embedding | None
    version: str


class PostgresTraining:
    """Bulk reads over a pool."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def items(self) -> Sequence[EmbeddedItem]:
        """Return the whole catalogue, in the order of ids."""
        found: list[EmbeddedItem] = []
        last = ""
        while True:
            async with reaching(self._pool) as connection:
                records = await connection.fetch(SQL["items_after"], last, PAGE)
            found += [
                EmbeddedItem(
                    Item(
                        item_id=record["item_id"],
                        title=record["title"],
                        description=record["description"],
                        category=record["category"],
                        tags=tuple(record["tags"]),
                    ),
                    record["embedding"],
                    record["embedding_version"],
                )
                for record in records
            ]
            if len(records) < PAGE:
                return found
            last = records[-1]["item_id"]

    async def histories(self) -> Sequence[tuple[str, str]]:
        """Return (user, item) pairs, each user's together and in the order of time."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["histories"], HISTORY_MAX)
        return [(record["user_id"], record["item_id"]) for record in records]

    async def user_ids_after(self, user_id: str) -> Sequence[str]:
        """Return a page of user ids that follow ``user_id`` ("" starts)."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["users_after"], user_id, PAGE)
        return [record["user_id"] for record in records]
