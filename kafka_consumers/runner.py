"""The runner: one loop that carries records from the event log through the processors, once each.

Read a batch (``read_ahead``), run every processor on what is new in it (``seen``) and move the
offsets in *one* transaction, go on. So a crash at any instant leaves either all of a batch's
results with its offsets or nothing of it. Which process reads which partition is the log's affair,
and may be wrong for a moment while members come and go: the transaction locks the partitions'
offsets first, and a process that finds them moved drops its batch and continues from where they
are.

What a process remembers between batches (the events it saw, the users it owns) is true exactly as
long as nobody else writes its partitions. So whatever goes wrong - a rollback, a fence, another
assignment - everything remembered is dropped and read anew.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import Generic, Protocol, TypeVar

import asyncpg
import numpy as np

from kafka_consumers.erasure import spared_places
from kafka_consumers.read_ahead import AssignmentChangedError, reading_ahead
from kafka_consumers.reading import BatchT, Reading, Row, Topic, chosen
from kafka_consumers.seen import REMEMBERED_MAX, Hashes, SeenWindows, hashed
from origin.dead_letters import outbox_entries
from origin.event_log.port import EventLog, LogUnavailableError, Member, Record
from origin.storage.port import (
    LearningStore,
    LearningTransaction,
    SeenEvents,
    StoreUnavailableError,
)

RECORDS_MAX = 50_000
"""Records per transaction. It bounds memory and how long a killed batch takes to repeat."""
BACKOFF_MIN_S = 0.2
BACKOFF_MAX_S = 5.0
"""Between attempts while the log or the database is away."""
HOUSEKEEPING_INTERVAL_S = 60.0
MOVES_INTERVAL_S = 1.0
"""How soon an idle process notices that its group was sent back."""

EVENT_FAULTS = (
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
)
"""What an event can do to a processor. Anything else is an outage or our bug, and no event's."""

PARTITION = itemgetter(Record._fields.index("partition"))

logger = logging.getLogger(__name__)

Learned = TypeVar("Learned", contravariant=True)


class Processor(Protocol[Learned]):
    """Learns one thing from the batches of a topic."""

    async def process(self, batch: Learned, transaction: LearningTransaction) -> None:
        """Write what the batch teaches into the transaction."""
        ...

    def forget(self) -> None:
        """Drop what is remembered between batches: it may no longer be what the store holds."""
        ...


class OffsetsMovedError(Exception):
    """Another process has processed the partition meanwhile."""


@dataclass(slots=True)
class Progress:
    """What a runner did since its start."""

    events: int = 0
    batches: int = 0
    duplicates: int = 0
    withheld: int = 0
    """Events dropped because their consent does not allow them."""
    dead_letters: int = 0
    fenced: int = 0
    """Batches dropped because another process had them first."""
    outages: int = 0
    freshness_ms: int = 0
    """From append to commit, of the latest batch's oldest record."""
    worked_s: dict[str, float] = field(default_factory=dict[str, float])
    """Processor time by stage: decode, sift (what is new?), learn (the processors and the driver;
    what was read meanwhile is in it, decoding apart)."""


class Runner(Generic[Row, BatchT]):
    """One process's share of a group's work on a topic."""

    def __init__(
        self,
        log: EventLog,
        store: LearningStore,
        topic: Topic[Row, BatchT],
        group: str,
        processors: Sequence[Processor[BatchT]],
        records_max: int = RECORDS_MAX,
    ) -> None:
        self._log = log
        self._store = store
        self._topic = topic
        self.group = group
        self._processors = processors
        self._records_max = records_max
        self._positions: dict[int, int] = {}
        self._seen = SeenWindows()
        self._tidied_at_s = float("-inf")
        self._looked_at_s = float("-inf")
        self._backoff_s = BACKOFF_MIN_S
        self._batches_before_outage = 0
        self.progress = Progress()
        self.observe: Callable[[int, int], None] | None = None
        """Told of every batch that was committed: its records, and the oldest one's age then."""

    @property
    def topic_name(self) -> str:
        """Return the topic that is read."""
        return self._topic.name

    @property
    def positions(self) -> Mapping[int, int]:
        """Return of each partition that is this process's how far it is."""
        return self._positions

    async def run(self, stopping: asyncio.Event) -> None:
        """Process until ``stopping`` is set; outlive outages of the log and the database."""
        while not stopping.is_set():
            try:
                await self._run_as_member(stopping)
            except LogUnavailableError as error:
                await self._wait(error, stopping)

    async def _run_as_member(self, stopping: asyncio.Event) -> None:
        member = await self._log.join(self._topic.name, self.group)
        try:
            while not stopping.is_set():
                try:
                    await self._follow(member, stopping)
                except StoreUnavailableError as error:
                    # Whether the batch was committed may be unknown: the offsets will tell.
                    await self._wait(error, stopping)
        finally:
            await member.leave()

    async def _wait(self, error: Exception, stopping: asyncio.Event) -> None:
        """Wait before another attempt, longer after each that failed."""
        self.progress.outages += 1
        if self.progress.batches != self._batches_before_outage:
            self._batches_before_outage = self.progress.batches
            self._backoff_s = BACKOFF_MIN_S
        logger.warning(
            "Waiting %.1f s: %s", self._backoff_s, error, extra={"action": "consumer_waits"}
        )
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), self._backoff_s)
        self._backoff_s = min(2 * self._backoff_s, BACKOFF_MAX_S)

    async def _follow(self, member: Member, stopping: asyncio.Event) -> None:
        """Process what the group assigns, from the stored offsets on, until that changes."""
        await self._start(sorted(await member.assignment()))
        ahead = reading_ahead(member, self._positions, self._topic.read, self._records_max)
        async with ahead as reader:
            while not stopping.is_set():
                try:
                    reading = await reader.take()
                    self._worked("decode", reader.decoding_s)
                    reader.decoding_s = 0.0
                    if reading is not None:
                        await self._apply(reading)
                        self._saw_age_of(reading)
                        self._worked("learn", -reader.decoding_s)
                    elif await self._was_moved():
                        return
                except AssignmentChangedError:
                    return
                except OffsetsMovedError:
                    self.progress.fenced += 1
                    return
                await self._tidy()

    async def _start(self, partitions: Sequence[int]) -> None:
        """Hold the state of exactly these partitions, as the database has it."""
        self._forget()
        seen: Mapping[int, bytes] = {}
        self._positions = {}
        if partitions:
            name = self._topic.name
            async with self._store.transaction() as transaction:
                stored = dict(await transaction.next_offsets(self.group, name, partitions))
                await self._restart_lost(stored, transaction)
                seen = await transaction.seen_events(self.group, name, partitions)
            self._positions = stored
        self._seen.load(seen)

    async def _restart_lost(self, stored: dict[int, int], transaction: LearningTransaction) -> None:
        """Start partitions anew that end before the place where the group stands.

        Their log was replaced by another one. What of it was processed lately is known by its id.
        """
        name = self._topic.name
        ends = await self._log.end_offsets(name)
        lost = [partition for partition, offset in stored.items() if offset > ends[partition]]
        if lost:
            logger.warning(
                "Partitions %s were replaced by shorter ones: reading them from the start", lost,
                extra={"action": "partitions_restarted"},
            )  # fmt: skip
            stored.update(dict.fromkeys(lost, 0))
            await transaction.set_next_offsets(self.group, name, dict.fromkeys(lost, 0))

    async def _was_moved(self) -> bool:
        """Return whether the group was sent back while nothing came: ``attune stream replay``."""
        now_s = time.monotonic()
        if not self._positions or now_s - self._looked_at_s < MOVES_INTERVAL_S:
            return False
        self._looked_at_s = now_s
        name, partitions = self._topic.name, sorted(self._positions)
        async with self._store.transaction() as transaction:
            stored = await transaction.next_offsets(self.group, name, partitions)
        return stored != self._positions

    async def _apply(self, reading: Reading[Row]) -> None:
        """Commit the reading; where an event breaks a processor, find it and put it aside."""
        try:
            await self._commit(reading)
        except EVENT_FAULTS as error:
            self._forget()
            if len(reading) == 1:
                problem = f"{type(error).__name__}: {error}"
                logger.warning("An event was put aside: %s", problem, exc_info=error)
                await self._commit(reading.refused(problem))
                return
            for half in reading.halves():
                await self._apply(half)

    async def _commit(self, reading: Reading[Row]) -> None:
        now_ms, name, after = _now_ms(), self._topic.name, reading.ends()
        letters = reading.dead_letters(now_ms)
        async with self._store.transaction() as transaction:
            stored = await transaction.next_offsets(self.group, name, sorted(after))
            if any(stored[partition] != self._positions[partition] for partition in after):
                raise OffsetsMovedError
            seen = await self._learn(reading, transaction, now_ms)
            if seen:
                rows = [SeenEvents(part, after[part], seen[part].tobytes()) for part in seen]
                await transaction.add_seen_events(self.group, name, rows)
            if letters:
                await transaction.add_dead_letters(letters)
                await transaction.add_outbox(outbox_entries(letters))
            await transaction.set_next_offsets(self.group, name, after)
        self._positions.update(after)
        self._seen.add(seen)
        self._count(reading, sum(map(len, seen.values())), len(letters))

    async def _learn(
        self, reading: Reading[Row], transaction: LearningTransaction, now_ms: int
    ) -> Mapping[int, Hashes]:
        """Run the processors on the rows that are new; return their hashes by partition."""
        started_s = time.thread_time()
        rows, records = reading.readable()
        partitions = np.array(list(map(PARTITION, records)), dtype=np.int64)
        hashes = hashed(list(map(attrgetter("event_id"), rows)))
        fresh = self._seen.fresh(partitions, hashes)
        sifted_s = time.thread_time()
        self._worked("sift", sifted_s - started_s)
        if not len(fresh):
            return {}
        if len(fresh) < len(rows):
            rows, records = chosen(fresh.tolist(), rows, records)
        spared = await spared_places(rows, transaction)
        if len(spared) < len(rows):
            rows, records = chosen(spared, rows, records)
        batch = self._topic.batch(rows, records, now_ms)
        for processor in self._processors if rows else ():
            await processor.process(batch, transaction)
        self._worked("learn", time.thread_time() - sifted_s)
        partitions, hashes = partitions[fresh], hashes[fresh]
        return {part: hashes[partitions == part] for part in np.unique(partitions).tolist()}

    def _forget(self) -> None:
        for processor in self._processors:
            processor.forget()

    async def _tidy(self) -> None:
        """Once a minute, drop what is older than the log's memory of events."""
        now_s = time.monotonic()
        if now_s - self._tidied_at_s < HOUSEKEEPING_INTERVAL_S:
            return
        self._tidied_at_s = now_s
        await self._log.prune(self._topic.name)
        if not self._positions:
            return
        before = {part: offset - REMEMBERED_MAX for part, offset in self._positions.items()}
        async with self._store.transaction() as transaction:
            await transaction.forget_seen_events(self.group, self._topic.name, before)

    def _worked(self, stage: str, seconds: float) -> None:
        worked_s = self.progress.worked_s
        worked_s[stage] = worked_s.get(stage, 0.0) + seconds

    def _saw_age_of(self, reading: Reading[Row]) -> None:
        oldest = min(record.appended_at_ms for record in reading.records)
        self.progress.freshness_ms = _now_ms() - oldest
        if self.observe is not None:
            self.observe(len(reading), self.progress.freshness_ms)

    def _count(self, reading: Reading[Row], fresh: int, letters: int) -> None:
        readable = sum(row is not None for row in reading.rows)
        self.progress.batches += 1
        self.progress.events += fresh
        self.progress.duplicates += readable - fresh
        self.progress.dead_letters += letters
        self.progress.withheld += len(reading) - readable - letters


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
