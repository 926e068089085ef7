"""Forgetting users in PostgreSQL."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attune.contract.erasure import ErasureReceipt, ErasureRequest
from origin.storage.erasure import user_hash
from origin.storage.named_sql import statements

if TYPE_CHECKING:
    from origin.storage.database import Connection

SQL = statements("erasure")


class PostgresErasures:
    """An ``ErasureTransaction`` on a connection that is inside a transaction."""

    _connection: "Connection"

    async def erase_user(self, request: ErasureRequest, topics: Sequence[str]) -> Mapping[str, int]:
        """Remove what is known of the user from before the request; return the rows by table."""
        until_ms = request.requested_at_ms
        await self._connection.fetch(SQL["wait_for_batches"], list(topics))
        await self._connection.execute(SQL["add_tombstone"], user_hash(request.user_id), until_ms)
        record = await self._connection.fetchrow(SQL["erase_user"], request.user_id, until_ms)
        assert record is not None, "an aggregate always has a row"
        return dict(record.items())

    async def erased_users(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Return for those users who were erased the instant until which that holds."""
        names = {user_hash(user_id): user_id for user_id in user_ids}
        records = await self._connection.fetch(SQL["erased_users"], list(names))
        return {names[hashed]: erased_at_ms for hashed, erased_at_ms in records}

    async def latest_erasure_ms(self) -> int:
        """Return the latest instant until which anybody was erased, -1 where nobody was."""
        latest = await self._connection.fetchval(SQL["latest_erasure"])
        return -1 if latest is None else latest

    async def add_receipt(self, receipt: ErasureReceipt) -> None:
        """Keep the receipt; the first one of a request stays."""
        await self._connection.execute(
            SQL["add_receipt"],
            receipt.erasure_id,
            receipt.requested_at_ms,
            receipt.erased_at_ms,
            receipt.log_expires_at_ms,
            json.dumps(dict(receipt.removed)),
        )


async def read_receipt(connection: "Connection", erasure_id: str) -> ErasureReceipt | None:
    """Return the receipt, None while the request was not carried out."""
    record = await connection.fetchrow(SQL["receipt"], erasure_id)
    if record is None:
        return None
    return ErasureReceipt(
        erasure_id=record["erasure_id"],
        requested_at_ms=record["requested_at_ms"],
        erased_at_ms=record["erased_at_ms"],
        log_expires_at_ms=record["log_expires_at_ms"],
        removed=json.loads(record["removed"]),
    )
