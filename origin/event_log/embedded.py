"""The event log on PostgreSQL: everything on one machine, with the guarantees of a broker.

A writer locks the counter row of every partition it appends to until it commits. So offsets are
dense, and they become visible in their order: without the lock, a slow writer's record could appear
behind the place where a reader already stands, and would never be read.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Self

import asyncpg

from origin.event_log.port import (
    Entry,
    LogOverloadedError,
    LogUnavailableError,
    Record,
    partition_of,
)
from origin.storage.database import COMMAND_TIMEOUT_SECONDS, CONNECT_TIMEOUT_SECONDS, OUTAGES
from origin.storage.named_sql import statements

if TYPE_CHECKING:
    from origin.storage.database import Connection, Pool

SQL = statements("event_log")

APPENDS_WAITING_MAX = 50_000
"""Records that may wait for a commit; beyond it the log is overloaded and says so."""
RECORDS_PER_COMMIT_MAX = 5_000
"""One commit is one disk flush for so many records; more would only delay the first."""
PRUNED_PER_CALL_MAX = 20_000
"""Records that one prune() drops of a partition: about 100 ms of work."""
MEMBERS_CHECK_INTERVAL_S = 0.25
"""How often a reader looks who else is in its group: one small query."""

Places = dict[int, int]
"""Of each partition, an offset."""

Waiting = tuple[str, Sequence[Entry], "asyncio.Future[Places]"]


class EmbeddedEventLog:
    """Topics in two tables of a PostgreSQL database, created on first use."""

    def __init__(self, database_url: str, pool: "Pool", partitions: int, retention_ms: int) -> None:
        self._database_url = database_url
        self._pool = pool
        self._partitions_wanted = partitions
        self._retention_ms = retention_ms
        self._partitions: dict[str, int] = {}
        self._waiting: list[Waiting] = []
        self._records_waiting = 0
        self._committer: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, database_url: str, partitions: int, retention_ms: int) -> Self:
        """Connect to a migrated database.

        Args:
            database_url: of the database that holds the log.
            partitions: of a topic that does not exist yet.
            retention_ms: how long records are kept at least.

        Raises:
            LogUnavailableError: when the server does not answer.
        """
        with _outages_named():
            pool = await asyncpg.create_pool(
                database_url,
                min_size=1,
                max_size=2,
                timeout=CONNECT_TIMEOUT_SECONDS,
                command_timeout=COMMAND_TIMEOUT_SECONDS,
                # Whatever the server's default: append() promises that records are on disk.
                server_settings={"application_name": "event_log", "synchronous_commit": "on"},
            )
        return cls(database_url, pool, partitions, retention_ms)

    @property
    def retention_ms(self) -> int:
        """Return how long records are kept at least."""
        return self._retention_ms

    async def append(self, topic: str, entries: Sequence[Entry]) -> Places:
        """Append the records; return their last places when the commit is on disk.

        Appends that arrive while a commit is under way share the next one.
        """
        if self._records_waiting + len(entries) > APPENDS_WAITING_MAX:
            raise LogOverloadedError(f"{self._records_waiting} records wait to be appended")
        confirmed: asyncio.Future[Places] = asyncio.get_running_loop().create_future()
        self._waiting.append((topic, entries, confirmed))
        self._records_waiting += len(entries)
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit_waiting())
        return await confirmed

    async def partitions(self, topic: str) -> int:
        """Return the number of partitions of the topic, which exists afterwards."""
        if topic not in self._partitions:
            async with self._connection() as connection:
                await connection.execute(SQL["create_topic"], topic, self._partitions_wanted)
                self._partitions[topic] = await connection.fetchval(SQL["partitions"], topic)
        return self._partitions[topic]

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Return for every partition the offset that the next record will get."""
        await self.partitions(topic)
        async with self._connection() as connection:
            rows = await connection.fetch(SQL["end_offsets"], topic)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def offsets_at(self, topic: str, time_ms: int) -> dict[int, int]:
        """Return for every partition its first offset at or after the time, else its end."""
        await self.partitions(topic)
        async with self._connection() as connection:
            rows = await connection.fetch(SQL["offsets_at"], topic, time_ms)
        return {row["partition"]: row["first_offset"] for row in rows}

    async def times_at(self, topic: str, offsets: Mapping[int, int]) -> dict[int, int]:
        """Return when the first record at or after each offset was appended, where there is one."""
        columns = list(offsets), list(offsets.values())
        async with self._connection() as connection:
            rows = await connection.fetch(SQL["times_at"], topic, *columns)
        return {row["partition"]: row["appended_at_ms"] for row in rows}

    async def join(self, topic: str, group: str) -> "EmbeddedMember":
        """Return a new reader in the group."""
        partitions = await self.partitions(topic)
        with _outages_named():
            connection = await asyncpg.connect(
                self._database_url,
                timeout=CONNECT_TIMEOUT_SECONDS,
                command_timeout=COMMAND_TIMEOUT_SECONDS,
                server_settings={"application_name": f"event_log {group}"},
            )
            member = EmbeddedMember(connection, topic, group, partitions)
            try:
                await connection.add_listener("event_log", member.wake)
                await connection.execute(SQL["join_group"], topic, group)
            except OUTAGES:
                await member.leave()
                raise
        return member

    async def read(
        self, topic: str, positions: Mapping[int, int], records_max: int
    ) -> list[Record]:
        """Return the records at and after ``positions`` that are there, without joining a group."""
        each_max = max(1, records_max // len(positions))
        columns = list(positions), list(positions.values())
        async with self._connection() as connection:
            rows = await connection.fetch(SQL["read"], topic, *columns, each_max)
        return [Record(topic, *row) for row in rows]

    async def drop(self, topic: str, before: Mapping[int, int]) -> None:
        """Drop the records before these offsets, whatever their age."""
        columns = list(before), list(before.values())
        async with self._connection() as connection:
            await connection.execute(SQL["drop"], topic, *columns)

    async def prune(self, topic: str) -> int:
        """Drop records older than the retention; return how many went."""
        async with self._connection() as connection:
            status = await connection.execute(
                SQL["prune"], topic, self._retention_ms, PRUNED_PER_CALL_MAX
            )
        return int(status.removeprefix("DELETE "))

    async def close(self) -> None:
        """Finish the appends that were accepted, then disconnect."""
        if self._committer is not None:
            await self._committer
        try:
            await asyncio.wait_for(self._pool.close(), CONNECT_TIMEOUT_SECONDS)
        except TimeoutError:
            self._pool.terminate()

    async def __aenter__(self) -> Self:
        """Return the log itself, to be closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the log."""
        await self.close()

    async def _commit_waiting(self) -> None:
        while self._waiting:
            group = self._next_group()
            try:
                places = await self._commit(group)
            except BaseException as error:
                # Whatever it is, it belongs to those who wait: unsettled, they would wait forever.
                _refuse(group, error)
                if not isinstance(error, Exception):
                    raise
            else:
                _confirm(group, places)

    def _next_group(self) -> list[Waiting]:
        """Return the appends of the oldest topic that fit into one commit, at least one."""
        topic = self._waiting[0][0]
        group: list[Waiting] = []
        records = 0
        for waiting in self._waiting:
            records += len(waiting[1])
            if waiting[0] != topic or (group and records > RECORDS_PER_COMMIT_MAX):
                break
            group.append(waiting)
        del self._waiting[: len(group)]
        self._records_waiting -= sum(len(entries) for _, entries, _ in group)
        return group

    async def _commit(self, group: Sequence[Waiting]) -> list[Places]:
        """Append them in one commit; return where each one's last records are."""
        topic = group[0][0]
        partitions = await self.partitions(topic)
        entries = [entry for _, batch, _ in group for entry in batch]
        places = [partition_of(key, partitions) for key, _ in entries]
        keys, values = [key for key, _ in entries], [value for _, value in entries]
        async with self._connection() as connection:
            firsts = await connection.fetch(SQL["append"], topic, places, keys, values)
        next_offsets = {row["partition"]: row["next_offset"] for row in firsts}
        return _last_places([len(batch) for _, batch, _ in group], places, next_offsets)

    @asynccontextmanager
    async def _connection(self) -> "AsyncGenerator[Connection]":
        with _outages_named():
            async with self._pool.acquire(timeout=CONNECT_TIMEOUT_SECONDS) as connection:
                yield connection


class EmbeddedMember:
    """One reader of a topic in a group, known to the others by a lock that its connection holds.

    The partitions are dealt round to the members in the order of their process ids. While a
    member comes or goes two of them may hold the same partition for a moment: processors find
    that out when they lock the partition's offset, and the slower one starts again.
    """

    def __init__(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        topic: str,
        group: str,
        partitions: int,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._group = group
        self._partitions = partitions
        self._assignment: frozenset[int] = frozenset()
        self._checked_at_s = float("-inf")
        self._appended = asyncio.Event()

    async def assignment(self) -> frozenset[int]:
        """Return the partitions that are this reader's at present."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._checked_at_s >= MEMBERS_CHECK_INTERVAL_S:
            with _outages_named():
                members = await self._connection.fetch(
                    SQL["group_members"], self._topic, self._group
                )
            places = [place for place, row in enumerate(members) if row["myself"]]
            if not places:
                raise LogUnavailableError("the group's lock is gone: is there a pooler in between?")
            self._assignment = frozenset(range(places[0], self._partitions, len(members)))
            self._checked_at_s = now_s
        return self._assignment

    async def read(
        self, positions: Mapping[int, int], records_max: int, wait_ms: int
    ) -> list[Record]:
        """Return the records at and after ``positions``, in order within each partition."""
        # Cleared before looking: what is appended after the look sets it again.
        self._appended.clear()
        records = await self._read(positions, records_max)
        if not records:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._appended.wait(), wait_ms / 1000)
                return await self._read(positions, records_max)
        return records

    async def leave(self) -> None:
        """Give the partitions back to the rest of the group."""
        with suppress(*OUTAGES):
            await self._connection.close(timeout=CONNECT_TIMEOUT_SECONDS)

    def wake(self, *_: object) -> None:
        """Note that somebody appended."""
        self._appended.set()

    async def _read(self, positions: Mapping[int, int], records_max: int) -> list[Record]:
        if not positions:
            return []
        each_max = max(1, records_max // len(positions))
        with _outages_named():
            rows = await self._connection.fetch(
                SQL["read"], self._topic, list(positions), list(positions.values()), each_max
            )
        return [Record(self._topic, *row) for row in rows]


def _last_places(
    sizes: Sequence[int], partitions: Sequence[int], next_offsets: Places
) -> list[Places]:
    """Return for each of the joined appends the offsets of its last records.

    >>> _last_places([2, 1], [0, 1, 0], {0: 10, 1: 20})
    [{0: 10, 1: 20}, {0: 11}]
    """
    found: list[Places] = []
    each = iter(partitions)
    for size in sizes:
        places: Places = {}
        for partition in islice(each, size):
            places[partition] = next_offsets[partition]
            next_offsets[partition] += 1
        found.append(places)
    return found


def _confirm(group: Sequence[Waiting], places: Sequence[Places]) -> None:
    for (_, _, confirmed), mine in zip(group, places, strict=True):
        if not confirmed.done():  # Else its caller has given up.
            confirmed.set_result(mine)


def _refuse(group: Sequence[Waiting], error: BaseException) -> None:
    for _, _, confirmed in group:
        if not confirmed.done():
            confirmed.set_exception(error)


@contextmanager
def _outages_named() -> Generator[None]:
    """Turn the driver's many words for an outage into the port's one."""
    try:
        yield
    except OUTAGES as error:
        raise LogUnavailableError(f"PostgreSQL does not answer: {error}") from error
