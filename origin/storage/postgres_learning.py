"""One transaction of a stream processor in PostgreSQL."""

from collections.abc import Mapping, Sequence

from attune.covisitation import Neighbour
from origin.storage.named_sql import statements
from origin.storage.port import (
    NEIGHBOURS_MAX,
    DeadLetter,
    Embedding,
    PopularityDelta,
    RewardCount,
    SeenEvents,
    UserColumns,
    UserItem,
    UserRow,
)
from origin.storage.postgres_deferred import PostgresDeferring
from origin.storage.postgres_erasure import PostgresErasures
from origin.storage.postgres_outcomes import PostgresOutcomes
from origin.storage.postgres_rows import user_columns, user_values
from origin.storage.user_columns import columns_of, rows_of

SQL = statements("learning")

SEEN_BYTES_SMALL = 64 * 1024
"""Rows of seen events below this are put together: 8,192 events, a busy partition's batch."""


class PostgresLearning(PostgresOutcomes, PostgresErasures, PostgresDeferring):
    """A ``LearningTransaction`` on a connection that is inside a transaction.

    Every method takes each key once per call: a batch is folded before it is written.
    """

    async def next_offsets(
        self, group: str, topic: str, partitions: Sequence[int]
    ) -> Mapping[int, int]:
        """Return where the group goes on reading in each of the partitions, locked."""
        wanted = sorted(partitions)
        await self._connection.execute(SQL["start_offsets"], group, topic, wanted)
        records = await self._connection.fetch(SQL["next_offsets"], group, topic, wanted)
        return {record["partition"]: record["next_offset"] for record in records}

    async def set_next_offsets(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Remember where the group goes on reading."""
        columns = list(offsets), list(offsets.values())
        await self._connection.execute(SQL["set_next_offsets"], group, topic, *columns)

    async def seen_events(
        self, group: str, topic: str, partitions: Sequence[int]
    ) -> Mapping[int, bytes]:
        """Return the hashes of the events that the group saw lately, oldest first, 8 bytes each."""
        wanted = sorted(partitions)
        records = await self._connection.fetch(SQL["seen_events"], group, topic, wanted)
        return {record["partition"]: record["hashes"] for record in records}

    async def add_seen_events(self, group: str, topic: str, seen: Sequence[SeenEvents]) -> None:
        """Remember the hashes of events that the group has seen."""
        columns = (
            [one.partition for one in seen],
            [one.end_offset for one in seen],
            [one.hashes for one in seen],
        )
        await self._connection.execute(SQL["add_seen_events"], group, topic, *columns)

    async def forget_seen_events(self, group: str, topic: str, before: Mapping[int, int]) -> None:
        """Forget what was seen before these offsets of the partitions; put small rows together."""
        parts = sorted(before)
        offsets = [before[part] for part in parts]
        await self._connection.execute(SQL["forget_seen_events"], group, topic, parts, offsets)
        small = SEEN_BYTES_SMALL
        await self._connection.execute(SQL["merge_seen_events"], group, topic, parts, small)

    async def own_users(self) -> int:
        """Keep everybody else from changing users until the transaction ends."""
        await self._connection.execute(SQL["own_users"])
        # A statement of its own: the one that waits for the lock sees the time before it.
        return await self._connection.fetchval(SQL["users_epoch"])

    async def user_columns(self, user_ids: Sequence[str]) -> UserColumns:
        """Return the rows of those users that exist, in columns."""
        return user_columns(await self._connection.fetch(SQL["user_columns"], list(user_ids)))

    async def put_user_columns(self, columns: UserColumns) -> None:
        """Insert or replace the rows, in a transaction that owns users."""
        await self._connection.execute(SQL["put_users"], *user_values(columns))

    async def users(self, user_ids: Sequence[str]) -> Mapping[str, UserRow]:
        """Return the rows of those users that exist; nobody else changes users meanwhile."""
        await self._connection.execute(SQL["lock_users"])
        return {row.user_id: row for row in rows_of(await self.user_columns(user_ids))}

    async def put_users(self, rows: Sequence[UserRow]) -> None:
        """Insert or replace the rows, from outside of the stream: imports, trainings."""
        await self.put_user_columns(columns_of(rows))

    async def recent_items(self, user_ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return what those users did lately, as far as it was put, in the form of ``recents``."""
        records = await self._connection.fetch(SQL["recent_items"], list(user_ids))
        return {record["user_id"]: record["recent"] for record in records}

    async def put_recent_items(self, recents: Mapping[str, bytes]) -> None:
        """Remember what users did lately, in place of what was known."""
        columns = list(recents), list(recents.values())
        await self._connection.execute(SQL["put_recent_items"], *columns)

    async def add_user_items(self, rows: Sequence[UserItem]) -> None:
        """Remember each user's latest interaction with an item."""
        await self._connection.execute(
            SQL["add_user_items"],
            [row.user_id for row in rows],
            [row.item_id for row in rows],
            [row.action for row in rows],
            [row.occurred_at_ms for row in rows],
        )

    async def embeddings(self, item_ids: Sequence[str]) -> Mapping[str, Embedding]:
        """Return the embeddings of those items that have one."""
        records = await self._connection.fetch(SQL["embeddings"], list(item_ids))
        return {record["item_id"]: record["embedding"] for record in records}

    async def add_popularity(self, deltas: Sequence[PopularityDelta]) -> None:
        """Add to items' popularity; unknown items are skipped."""
        if not deltas:
            return
        await self._connection.execute(
            SQL["add_popularity"],
            [delta.item_id for delta in deltas],
            [level for delta in deltas for level in delta.levels],
            len(deltas[0].levels),
        )

    async def add_covisits(self, deltas: Sequence[Neighbour]) -> None:
        """Add to how strongly pairs of items were met together."""
        seeds = [delta.seed_id for delta in deltas]
        await self._connection.execute(
            SQL["add_covisits"],
            seeds,
            [delta.item_id for delta in deltas],
            [delta.level for delta in deltas],
        )

    async def prune_covisits(self, after: str, seeds_max: int) -> str | None:
        """Keep the strongest neighbours of some seeds behind ``after``; return the last of them."""
        return await self._connection.fetchval(
            SQL["prune_covisits"], after, seeds_max, NEIGHBOURS_MAX
        )

    async def add_rewards(self, deltas: Sequence[RewardCount]) -> None:
        """Add showings and rewards."""
        await self._connection.execute(
            SQL["add_rewards"],
            [delta.item_id for delta in deltas],
            [delta.bucket for delta in deltas],
            [delta.impressions for delta in deltas],
            [delta.reward for delta in deltas],
        )

    async def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep the events that could not be processed."""
        rows = [
            (
                letter.topic,
                letter.partition,
                letter.offset,
                letter.key,
                letter.value,
                letter.problem,
                letter.failed_at_ms,
            )
            for letter in letters
        ]
        await self._connection.executemany(SQL["add_dead_letter"], rows)
