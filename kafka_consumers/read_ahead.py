"""Reading ahead: records are fetched and decoded while the batch before them is written.

What has been read waits in memory, within bounds, until the processors ask for it, and then they
get all of it as one batch. So a quiet stream is processed record by record, at once, and a backlog
in large batches, which write a busy user once: the batch grows by itself to what the database can
take. When the bounds are reached, reading waits.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Generic

from kafka_consumers.reading import Reading, Row, RowReader
from origin.event_log.port import Member

READ_WAIT_MS = 200
"""How long an empty read waits, and so how soon a stop or a new partition is noticed."""

RECORDS_PER_READ = 5_000
"""Decoded at a stretch: 5 ms in which nothing else of the process runs."""

BYTES_MAX = 32 * 1024 * 1024
"""Of values that wait; decoded they take about three times as much."""


class AssignmentChangedError(Exception):
    """The group has shared the partitions anew."""


class ReadAhead(Generic[Row]):
    """Reads a member's partitions from given positions onward, while they are assigned to it."""

    def __init__(
        self, member: Member, positions: Mapping[int, int], read: RowReader[Row], records_max: int
    ) -> None:
        self._member = member
        self._assigned = frozenset(positions)
        self._positions = dict(positions)
        self._read = read
        self._records_max = records_max
        self._waiting: list[Reading[Row]] = []
        self._records = 0
        self._bytes = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._failure: Exception | None = None
        self.decoding_s = 0.0
        """Processor time that decoding has taken."""

    async def take(self) -> Reading[Row] | None:
        """Return all that was read, as one; None where nothing came for a while.

        Raises:
            AssignmentChangedError: when the positions are no longer the member's own.
            LogUnavailableError: when the log does not answer.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._filled.wait(), READ_WAIT_MS / 1000)
        if self._failure is not None:
            raise self._failure
        if not self._waiting:
            return None
        taken = Reading[Row].joined(self._waiting)
        self._waiting, self._records, self._bytes = [], 0, 0
        self._filled.clear()
        self._emptied.set()
        return taken

    async def run(self) -> None:
        """Read until cancelled; a failure is told by ``take``."""
        try:
            while True:
                await self._read_some()
        except Exception as error:
            self._failure = error
            self._filled.set()

    async def _read_some(self) -> None:
        if await self._member.assignment() != self._assigned:
            raise AssignmentChangedError
        room = self._records_max - self._records
        if room <= 0 or self._bytes >= BYTES_MAX:
            self._emptied.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), READ_WAIT_MS / 1000)
            return
        wanted = min(room, RECORDS_PER_READ)
        records = await self._member.read(self._positions, wanted, READ_WAIT_MS)
        if not records:
            return
        started_s = time.thread_time()
        reading = Reading[Row].of(records, self._read)
        self.decoding_s += time.thread_time() - started_s
        self._positions.update(reading.ends())
        self._waiting.append(reading)
        self._records += len(records)
        self._bytes += sum(len(record.value) for record in records)
        self._filled.set()
        # A log that answers at once would never let anybody else run.
        await asyncio.sleep(0)


@asynccontextmanager
async def reading_ahead(
    member: Member, positions: Mapping[int, int], read: RowReader[Row], records_max: int
) -> AsyncIterator[ReadAhead[Row]]:
    """Yield a reader that reads in the background until the block ends."""
    ahead = ReadAhead(member, positions, read, records_max)
    running = asyncio.create_task(ahead.run())
    try:
        yield ahead
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
