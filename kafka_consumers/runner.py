"""The runner: one loop that carries records from the event log through the processors, once each.

Fetch a batch, decode it once, run every processor and move the offsets in *one* transaction, go on.
So a crash at any instant leaves either all of a batch's results with its offsets or nothing of it.
Which process reads which partition is the log's affair, and may be wrong for a moment while
members come and go: the transaction locks the partitions' offsets first, and a process that finds
them moved drops its batch and continues from where they are.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from attune.contract.event import Event
from kafka_consumers.batch import Batch, Step, dead_letter, decoded, ends, first_of_each
from origin.event_log import EVENTS
from origin.event_log.port import EventLog, LogUnavailableError, Member
from origin.storage.port import (
    LearningStore,
    LearningTransaction,
    StoreUnavailableError,
    UserRow,
)

GROUP = "learning"

RECORDS_MAX = 2_000
"""Records per transaction. It bounds memory and how long a killed batch takes to repeat."""
READ_WAIT_MS = 200
"""How long an empty read waits, and so how soon a stop or a new partition is noticed."""
BACKOFF_MIN_S = 0.2
BACKOFF_MAX_S = 5.0
"""Between attempts while the log or the database is away."""
HOUSEKEEPING_INTERVAL_S = 60.0

EVENT_FAULTS = (
    ValueError,
    ArithmeticError,
    LookupError,
    TypeError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
)
"""What an event can do to a processor. Anything else is an outage or our bug, and no event's."""

logger = logging.getLogger(__name__)


class Processor(Protocol):
    """Learns one thing from events."""

    async def process(self, batch: Batch, transaction: LearningTransaction) -> None:
        """Write what the batch teaches into the transaction."""
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


class Runner:
    """One process's share of a group's work on a topic."""

    def __init__(
        self,
        log: EventLog,
        store: LearningStore,
        processors: Sequence[Processor],
        group: str = GROUP,
        topic: str = EVENTS,
        records_max: int = RECORDS_MAX,
    ) -> None:
        self._log = log
        self._store = store
        self._processors = processors
        self._group = group
        self._topic = topic
        self._records_max = records_max
        self._positions: dict[int, int] = {}
        self._tidied_at_s = float("-inf")
        self._backoff_s = BACKOFF_MIN_S
        self._batches_before_outage = 0
        self.progress = Progress()

    async def run(self, stopping: asyncio.Event) -> None:
        """Process until ``stopping`` is set; outlive outages of the log and the database."""
        while not stopping.is_set():
            try:
                await self._run_as_member(stopping)
            except LogUnavailableError as error:
                await self._wait(error, stopping)

    async def _run_as_member(self, stopping: asyncio.Event) -> None:
        member = await self._log.join(self._topic, self._group)
        self._positions.clear()
        try:
            while not stopping.is_set():
                try:
                    await self._follow(await member.assignment())
                    await self._advance(member)
                    await self._tidy()
                except StoreUnavailableError as error:
                    # Whether the batch was committed may be unknown: the offsets will tell.
                    self._positions.clear()
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

    async def _follow(self, assigned: frozenset[int]) -> None:
        """Hold a position for exactly the assigned partitions."""
        for partition in self._positions.keys() - assigned:
            del self._positions[partition]
        gained = sorted(assigned - self._positions.keys())
        if gained:
            async with self._store.transaction() as transaction:
                stored = dict(await transaction.next_offsets(self._group, self._topic, gained))
                await self._restart_lost(stored, transaction)
            self._positions.update(stored)

    async def _restart_lost(self, stored: dict[int, int], transaction: LearningTransaction) -> None:
        """Start partitions anew that end before the place where the group stands.

        Their log was replaced by another one. Whatever of it was processed is known by event id.
        """
        ends = await self._log.end_offsets(self._topic)
        lost = [partition for partition, offset in stored.items() if offset > ends[partition]]
        if lost:
            logger.warning(
                "Partitions %s were replaced by shorter ones: reading them from the start", lost,
                extra={"action": "partitions_restarted"},
            )  # fmt: skip
            stored.update(dict.fromkeys(lost, 0))
            await transaction.set_next_offsets(self._group, self._topic, dict.fromkeys(lost, 0))

    async def _advance(self, member: Member) -> None:
        records = await member.read(self._positions, self._records_max, READ_WAIT_MS)
        if not records:
            return
        try:
            await self._apply(decoded(records))
        except OffsetsMovedError:
            self.progress.fenced += 1
            self._positions.clear()
            return
        self.progress.freshness_ms = _now_ms() - min(record.appended_at_ms for record in records)

    async def _apply(self, steps: Sequence[Step]) -> None:
        """Commit the steps; where an event breaks a processor, find it and put it aside."""
        try:
            await self._commit(steps)
        except EVENT_FAULTS as error:
            if len(steps) == 1:
                problem = f"{type(error).__name__}: {error}"
                logger.warning("An event was put aside: %s", problem, exc_info=error)
                await self._commit([Step(steps[0].record, problem=problem)])
                return
            half = len(steps) // 2
            await self._apply(steps[:half])
            await self._apply(steps[half:])

    async def _commit(self, steps: Sequence[Step]) -> None:
        after = ends(steps)
        events = [step.event for step in steps if step.event is not None]
        letters = [dead_letter(step, _now_ms()) for step in steps if step.problem]
        async with self._store.transaction() as transaction:
            stored = await transaction.next_offsets(self._group, self._topic, sorted(after))
            if any(stored[partition] != self._positions[partition] for partition in after):
                raise OffsetsMovedError
            fresh = await self._learn(events, transaction)
            if letters:
                await transaction.add_dead_letters(letters)
            await transaction.set_next_offsets(self._group, self._topic, after)
        self._positions.update(after)
        self._count(steps, len(events), fresh, len(letters))

    async def _learn(self, events: Sequence[Event], transaction: LearningTransaction) -> int:
        """Run the processors on the events that are new; return how many those are."""
        event_ids = [event.event_id for event in events]
        now_ms = _now_ms()
        claimed = await transaction.claim_events(self._group, event_ids, now_ms)
        fresh = first_of_each(events, claimed)
        if not fresh:
            return 0
        user_ids = sorted({event.user_id for event in fresh if event.user_id is not None})
        known = await transaction.users(user_ids)
        users = {user_id: known.get(user_id) or UserRow(user_id) for user_id in user_ids}
        batch = Batch(fresh, users, now_ms)
        for processor in self._processors:
            await processor.process(batch, transaction)
        return len(fresh)

    async def _tidy(self) -> None:
        """Once a minute, drop what is older than the log's memory of events."""
        now_s = time.monotonic()
        if now_s - self._tidied_at_s < HOUSEKEEPING_INTERVAL_S:
            return
        self._tidied_at_s = now_s
        await self._log.prune(self._topic)
        async with self._store.transaction() as transaction:
            await transaction.forget_before(self._group, _now_ms() - self._log.retention_ms)

    def _count(self, steps: Sequence[Step], events: int, fresh: int, letters: int) -> None:
        self.progress.batches += 1
        self.progress.events += fresh
        self.progress.duplicates += events - fresh
        self.progress.dead_letters += letters
        self.progress.withheld += len(steps) - events - letters


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
