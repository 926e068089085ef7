"""Deferred events in PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import asyncpg

from origin.storage.deferred import DeferredEvents
from origin.storage.named_sql import statements

if TYPE_CHECKING:
    from origin.storage.database import Connection

SQL = statements("deferred")
LOCK_USERS = statements("learning")["lock_users"]


class PostgresDeferring:
    """A ``DeferringTransaction`` on a connection that is inside a transaction."""

    _connection: "Connection"

    async def deferred_latest(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Return ``latest_ms`` of those users for whom events wait."""
        records = await self._connection.fetch(SQL["deferred_latest"], list(user_ids))
        return {record["user_id"]: record["latest_ms"] for record in records}

    async def defer(self, rows: Sequence[DeferredEvents]) -> None:
        """Let events wait, behind those that do."""
        await self._connection.execute(
            SQL["defer"],
            [row.user_id for row in rows],
            [row.count for row in rows],
            [row.latest_ms for row in rows],
            [row.events for row in rows],
        )

    async def take_deferred(self, user_ids: Sequence[str]) -> Sequence[DeferredEvents]:
        """Return what waits for these users and remove it."""
        return _rows(await self._connection.fetch(SQL["take_deferred"], list(user_ids)))

    async def take_deferred_page(self, users_max: int) -> Sequence[DeferredEvents]:
        """Return what waits for so many users and remove it; nobody else has users meanwhile."""
        await self._connection.execute(LOCK_USERS)
        taken = _rows(await self._connection.fetch(SQL["take_deferred_page"], users_max))
        if taken:
            await self._connection.execute(SQL["change_epoch"])
        return taken


def _rows(records: Sequence[asyncpg.Record]) -> list[DeferredEvents]:
    return [DeferredEvents(*record.values()) for record in records]
