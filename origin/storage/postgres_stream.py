"""What people who look after the stream ask of PostgreSQL, and do to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from origin.storage.named_sql import statements
from origin.storage.postgres import reaching

if TYPE_CHECKING:
    from origin.storage.database import Pool

SQL = statements("stream")

PROBLEMS_MAX = 20
"""Different problems of dead letters that one look shows."""


class GroupOffset(NamedTuple):
    """Where a group goes on reading in a partition."""

    group: str
    topic: str
    partition: int
    next_offset: int


class Waiting(NamedTuple):
    """Records that are in the database and not yet in their topic."""

    outbox: int
    spilled: int


class DeadLetterCount(NamedTuple):
    """How many records of a topic were put aside for one reason."""

    topic: str
    problem: str
    letters: int
    latest_at_ms: int


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A record that was put aside."""

    letter_id: int
    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    problem: str
    failed_at_ms: int


class PostgresStream:
    """The stream's bookkeeping over a pool."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def offsets(self) -> Sequence[GroupOffset]:
        """Return where every group goes on reading."""
        async with reaching(self._pool) as connection:
            return [GroupOffset(*row) for row in await connection.fetch(SQL["offsets"])]

    async def waiting(self, spill_topic: str, forwarder: str) -> Waiting:
        """Return what waits in the outbox, and in the spill for its forwarder."""
        async with reaching(self._pool) as connection:
            row = await connection.fetchrow(SQL["waiting"], spill_topic, forwarder)
        assert row is not None
        return Waiting(*row)

    async def dead_letter_counts(self) -> Sequence[DeadLetterCount]:
        """Return how many records were put aside by topic and problem, the most first."""
        async with reaching(self._pool) as connection:
            rows = await connection.fetch(SQL["dead_letter_counts"], PROBLEMS_MAX)
        return [DeadLetterCount(*row) for row in rows]

    async def dead_letters(
        self,
        after_id: int,
        limit: int,
        topic: str | None = None,
        letter_ids: Sequence[int] | None = None,
    ) -> Sequence[KeptLetter]:
        """Return the oldest records that were put aside, of one topic or with these ids."""
        async with reaching(self._pool) as connection:
            rows = await connection.fetch(SQL["dead_letters"], after_id, topic, letter_ids, limit)
        return [KeptLetter(*row) for row in rows]

    async def newest_dead_letter(self) -> int:
        """Return the id of the record that was put aside last, 0 without any."""
        async with reaching(self._pool) as connection:
            return await connection.fetchval(SQL["newest_dead_letter"])

    async def drop_dead_letters(self, letter_ids: Sequence[int]) -> int:
        """Forget these records; return how many there were."""
        async with reaching(self._pool) as connection:
            status = await connection.execute(SQL["drop_dead_letters"], list(letter_ids))
        return int(status.removeprefix("DELETE "))

    async def rewind(self, group: str, topic: str, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Let the group go on reading there; return where it stood before.

        Processes amid a batch find the offsets moved when they commit, drop it and go back.
        """
        async with reaching(self._pool) as connection, connection.transaction():
            rows = await connection.fetch(SQL["lock_offsets"], group, topic)
            stood = {row["partition"]: row["next_offset"] for row in rows}
            back = {part: offset for part, offset in offsets.items() if part in stood}
            columns = list(back), list(back.values())
            await connection.execute(SQL["move_offsets"], group, topic, *columns)
        return {part: stood[part] for part in back}

    async def forget_learned(self, forwarder: str) -> None:
        """Drop everything that was learned from the log, and let all groups start over.

        The forwarder of the spill keeps its place: it does not learn, and its records are gone.
        """
        async with reaching(self._pool) as connection, connection.transaction():
            await connection.execute(SQL["lock_all_offsets"], forwarder)
            await connection.execute(SQL["forget_learned"])
            await connection.execute(SQL["forget_offsets"], forwarder)
