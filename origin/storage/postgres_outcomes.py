"""The history of outcomes inside one transaction in PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from attune.context import bandit_bucket, read_context
from attune.contract.event import Impression, ShownItem
from attune.contract.served import ServedSlate, pack_served_slate, read_served_slate
from origin.packing import packed, unpacked
from origin.storage.named_sql import statements
from origin.storage.outcomes import ACTED, KeptInteraction, OutboxEntry, PositionCount, ShownSlate
from origin.storage.postgres_rows import impression_values
from origin.storage.user_columns import floats, read_embeddings

if TYPE_CHECKING:
    import asyncpg

    from origin.storage.database import Connection

SQL = statements("outcomes")

CONTEXTS_REMEMBERED = 4_096
"""Devices, regions, hours and entry categories of a busy hour; a miss costs 10 us."""


class PostgresOutcomes:
    """An ``OutcomeTransaction`` on a connection that is inside a transaction."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    async def add_impressions(self, impressions: Sequence[Impression], closes_at_ms: int) -> None:
        """Keep the impressions, open until then; one whose slate is known already is skipped."""
        rows = [impression_values(impression) for impression in impressions]
        await self._connection.executemany(SQL["add_impression"], rows)
        slate_ids = [impression.slate_id for impression in impressions]
        await self._connection.execute(SQL["open_slates"], slate_ids, closes_at_ms)

    async def shown_slates(self, slate_ids: Sequence[str]) -> Mapping[str, ShownSlate]:
        """Return those slates that were seen."""
        records = await self._connection.fetch(SQL["shown_slates"], list(slate_ids))
        return {record["slate_id"]: _shown_slate(record) for record in records}

    async def add_interactions(self, kept: Sequence[KeptInteraction], now_ms: int) -> None:
        """Append to the history of interactions."""
        await self._connection.copy_records_to_table(
            "interactions",
            records=[(*one, now_ms) for one in kept],
            columns=(*KeptInteraction._fields, "kept_at_ms"),
        )

    async def interactions_with(self, slate_ids: Sequence[str]) -> Sequence[KeptInteraction]:
        """Return what was done with items of the slates, in no order."""
        records = await self._connection.fetch(SQL["interactions_with"], list(slate_ids))
        return [KeptInteraction(*record) for record in records]

    async def due_slates(self, now_ms: int, limit: int) -> Sequence[ShownSlate]:
        """Return slates whose time to earn is over, locked; those of others are left out."""
        records = await self._connection.fetch(SQL["due_slates"], now_ms, limit)
        return [_shown_slate(record) for record in records]

    async def close_slates(self, slate_ids: Sequence[str]) -> None:
        """Let the slates earn no more."""
        await self._connection.execute(SQL["close_slates"], list(slate_ids))

    async def add_outbox(self, entries: Sequence[OutboxEntry]) -> None:
        """Send the records to their topics once this transaction is committed."""
        rows = [(entry.topic, entry.key, list(entry.records)) for entry in entries]
        await self._connection.executemany(SQL["add_outbox"], rows)

    async def outbox(self, limit: int) -> Sequence[OutboxEntry]:
        """Return the oldest entries, locked; those of others are left out."""
        records = await self._connection.fetch(SQL["outbox"], limit)
        return [
            OutboxEntry(topic, key, tuple(values), outbox_id)
            for topic, key, values, outbox_id in records
        ]

    async def drop_outbox(self, outbox_ids: Sequence[int]) -> None:
        """Forget the entries: their topics have them."""
        await self._connection.execute(SQL["drop_outbox"], list(outbox_ids))

    async def add_served(self, slates: Sequence[ServedSlate], now_ms: int) -> None:
        """Keep the decisions; one that is known already is skipped."""
        await self._connection.execute(
            SQL["add_served"],
            [slate.slate_id for slate in slates],
            [slate.user_id for slate in slates],
            [slate.served_at_ms for slate in slates],
            [packed(pack_served_slate(slate)) for slate in slates],
            now_ms,
        )

    async def position_counts(self, before_ms: int, slates_max: int) -> Sequence[PositionCount]:
        """Return what became of the latest slates that were seen before then, by position."""
        records = await self._connection.fetch(
            SQL["position_counts"], before_ms, slates_max, list(ACTED)
        )
        return [PositionCount(*record) for record in records]

    async def latest_served(self, limit: int) -> Sequence[ServedSlate]:
        """Return the latest decisions, newest first."""
        records = await self._connection.fetch(SQL["latest_served"], limit)
        return [read_served_slate(unpacked(record["record"])) for record in records]

    async def population(self, users_max: int) -> NDArray[np.float32]:
        """Return the embeddings of about so many users, drawn at random where there are more."""
        records = await self._connection.fetch(SQL["population"], users_max)
        return floats(read_embeddings([record["embedding"] for record in records]))

    async def reward_totals(self) -> tuple[float, float]:
        """Return the trials and the rewards of all arms."""
        record = await self._connection.fetchrow(SQL["reward_totals"])
        assert record is not None, "an aggregate always has a row"
        return record[0], record[1]

    async def drop_fitting(self, name: str) -> None:
        """Forget what was fitted under the name."""
        await self._connection.execute(SQL["drop_fitting"], name)

    async def fitting(self, name: str) -> bytes | None:
        """Return what was fitted under the name, if anything was."""
        return await self._connection.fetchval(SQL["fitting"], name)

    async def put_fitting(self, name: str, value: bytes, now_ms: int) -> None:
        """Keep what was fitted under the name."""
        await self._connection.execute(SQL["put_fitting"], name, value, now_ms)

    async def forget_outcomes(self, before_ms: int, limit: int) -> int:
        """Drop up to ``limit`` rows of each kind that arrived earlier; return how many went."""
        gone = 0
        for name in ("forget_interactions", "forget_served", "forget_impressions"):
            status = await self._connection.execute(SQL[name], before_ms, limit)
            gone += int(status.removeprefix("DELETE "))
        return gone


def _shown_slate(record: "asyncpg.Record") -> ShownSlate:
    return ShownSlate(
        slate_id=record["slate_id"],
        bucket=_bucket(record["context"]),
        shown_at_ms=record["occurred_at_ms"],
        items=_shown_items(record["item_ids"], record["positions"], record["propensities"]),
        is_open=record["is_open"],
    )


def _shown_items(
    item_ids: Iterable[str], positions: Iterable[int], propensities: Iterable[float]
) -> tuple[ShownItem, ...]:
    return tuple(map(ShownItem, item_ids, positions, propensities))


@lru_cache(CONTEXTS_REMEMBERED)
def _bucket(context: bytes) -> str:
    """Return the bandit bucket of a packed context."""
    return bandit_bucket(read_context(unpacked(context)))
