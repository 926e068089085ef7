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
    UserItem,
    UserRow,
)
from origin.storage.postgres_erasure import PostgresErasures
from origin.storage.postgres_outcomes import PostgresOutcomes
from origin.storage.postgres_rows import user_columns, user_row

SQL = statements("learning")


class PostgresLearning(PostgresOutcomes, PostgresErasures):
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

    async def claim_events(self, group: str, event_ids: Sequence[str], now_ms: int) -> set[str]:
        """Return those ids that the group never claimed before, and claim them."""
        records = await self._connection.fetch(SQL["claim_events"], group, list(event_ids), now_ms)
        return {record["event_id"] for record in records}

    async def users(self, user_ids: Sequence[str]) -> Mapping[str, UserRow]:
        """Return the rows of those users that exist, locked until the transaction ends."""
        records = await self._connection.fetch(SQL["users"], list(user_ids))
        return {record["user_id"]: user_row(record, record["user_id"]) for record in records}

    async def put_users(self, rows: Sequence[UserRow]) -> None:
        """Insert or replace the rows."""
        await self._connection.execute(SQL["put_users"], *user_columns(rows))

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
        """Add to how strongly pairs of items were met together; the strongest are kept."""
        seeds = [delta.seed_id for delta in deltas]
        await self._connection.execute(
            SQL["add_covisits"],
            seeds,
            [delta.item_id for delta in deltas],
            [delta.level for delta in deltas],
        )
        await self._connection.execute(SQL["prune_covisits"], seeds, NEIGHBOURS_MAX)

    async def add_rewards(self, deltas: Sequence[RewardCount]) -> None:
        """Add showings and rewards."""
        await self._connection.execute(
            SQL["add_rewards"],
            [delta.item_id for delta in deltas],
            [delta.bucket for delta in deltas],
            [delta.impressions for delta in deltas],
            [delta.reward for delta in deltas],
        )

    async def forget_before(self, group: str, before_ms: int) -> None:
        """Drop claimed event ids that are older."""
        await self._connection.execute(SQL["forget_events"], group, before_ms)

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
