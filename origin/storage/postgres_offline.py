"""The feature store's history in PostgreSQL, read in bulk."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attune.contract.event import Impression
from attune.contract.recommendation import RecentInteraction
from attune.contract.served import read_served_slate
from origin.packing import unpacked
from origin.storage.named_sql import statements
from origin.storage.offline import Decision, Place
from origin.storage.outcomes import KeptInteraction
from origin.storage.postgres import reaching
from origin.storage.postgres_rows import impression

if TYPE_CHECKING:
    from origin.storage.database import Pool

SQL = statements("offline")


class PostgresOffline:
    """An ``OfflineStore`` over a pool."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def count_decisions(self, from_ms: int, to_ms: int) -> int:
        """Return how many slates were decided in [from_ms, to_ms)."""
        async with reaching(self._pool) as connection:
            return await connection.fetchval(SQL["count_decisions"], from_ms, to_ms)

    async def decisions(self, after: Place, to_ms: int, limit: int) -> Sequence[Decision]:
        """Return decisions behind ``after`` and before ``to_ms``, in the order of time and id."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["decisions"], *after, to_ms, limit)
        return [
            Decision(slate_id, at_ms, record and read_served_slate(unpacked(record)))
            for slate_id, at_ms, record in records
        ]

    async def seen(self, slate_ids: Sequence[str]) -> Mapping[str, Impression]:
        """Return the impressions of those slates that were seen."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["seen"], list(slate_ids))
        return {record["slate_id"]: impression(record) for record in records}

    async def interactions_with(self, slate_ids: Sequence[str]) -> Sequence[KeptInteraction]:
        """Return what was done with items of the slates, in no order."""
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["interactions_with"], list(slate_ids))
        return [KeptInteraction(*record) for record in records]

    async def sequences(
        self, wanted: Sequence[tuple[str, int]], limit: int
    ) -> Sequence[Sequence[RecentInteraction]]:
        """Return for each (user, instant) the user's last interactions before it, oldest first."""
        user_ids, instants = [one[0] for one in wanted], [one[1] for one in wanted]
        async with reaching(self._pool) as connection:
            records = await connection.fetch(SQL["sequences"], user_ids, instants, limit)
        found: list[list[RecentInteraction]] = [[] for _ in wanted]
        for record in records:
            place: int = record["place"]
            found[place - 1].append(RecentInteraction(*record[1:]))
        return found
