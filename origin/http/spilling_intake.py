"""Takes events while Kafka is away: they spill into the database and are forwarded in order.

The spill is one topic of the embedded log, so it has that log's commits, bounds and order per key.
From the first record that Kafka did not confirm until the spill is drained, *every* record goes
there: one that went to Kafka directly would overtake those of its key that still wait. At the end
of draining, appends pause for the moment it takes to forward the last records.

Forwarding repeats records when a process dies between Kafka's confirmation and the commit of the
place it reached; processors drop them by their event id. Other processes of the origin learn of a
spill within a second: a visitor whose requests change between them may be overtaken by as much.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import cast

from origin.event_log.embedded import EmbeddedEventLog
from origin.event_log.port import Entry, EventLog, LogOverloadedError, LogUnavailableError, Record
from origin.http.log_intake import LogIntake
from origin.packing import packed, unpacked
from origin.storage.port import LearningStore, StoreUnavailableError

SPILLED = "spilled"
"""The embedded log's topic of records that wait for Kafka: each value is [topic, value]."""
GROUP = "forwarder"

SPILL_AFTER_S = 2.0
"""A healthy broker confirms in milliseconds, and an election of leaders is over in a second or so;
the browser waits for the rest of this."""
FORWARD_TIMEOUT_S = 15.0
"""Longer than the producer's own patience, so that it is the producer that gives up."""
LOOK_INTERVAL_S = 1.0
"""Between two looks at the spill: one small query."""
PAUSE_MAX_S = 2.0
"""Of appends at the end of draining; a spill that still grows then is drained further first."""
RECORDS_PER_STEP_MAX = 4_000
"""Forwarded in one transaction: 0.1 s of work, repeated after a crash."""
SPILLED_MAX = 5_000_000
"""About 2 GB in the database, or ten minutes of an outage at 8,000 events a second."""

logger = logging.getLogger("attune.origin")


class SpillingIntake:
    """The log on Kafka, with the database to fall back on."""

    def __init__(
        self, main: LogIntake[EventLog], spill: LogIntake[EmbeddedEventLog], store: LearningStore
    ) -> None:
        self._main = main
        self._spill = spill
        self._store = store
        # None until the first look: another life of this process may have left something.
        self._spilling: bool | None = None
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._running = asyncio.Event()
        self._running.set()
        self.spilled = 0

    async def append(self, topic: str, entries: Sequence[Entry]) -> Mapping[int, int]:
        """Append the records; return their last places in Kafka, none where they were spilled.

        Raises:
            LogOverloadedError: when more records wait than may.
            LogUnavailableError: when neither Kafka nor the database took them.
        """
        await self._settled()
        if not self._spilling:
            try:
                async with asyncio.timeout(SPILL_AFTER_S):
                    return await self._main.append(topic, entries)
            except LogOverloadedError:
                raise
            except (LogUnavailableError, TimeoutError) as error:
                await self._settled()
                if not self._spilling:
                    logger.warning(
                        "Kafka is away, events are kept in the database: %s", error,
                        extra={"action": "spilling"},
                    )  # fmt: skip
                self._spilling = True
        # Nothing was awaited since _settled(): no pause has begun.
        self._under_way += 1
        self._idle.clear()
        try:
            await self._put(topic, entries)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
        return {}

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        """Return for every partition the offset that the next record will get in Kafka."""
        return await self._main.end_offsets(topic)

    async def is_open(self) -> bool:
        """Return whether either of the two takes records, as far as is known."""
        if self._spilling:
            return await self._spill.is_open()
        return await self._main.is_open() or await self._spill.is_open()

    async def forward(self) -> None:
        """Forward what was spilled whenever Kafka is there, until cancelled."""
        while True:
            try:
                await self._look()
                if self._spilling:
                    await self._drain()
            except (LogUnavailableError, StoreUnavailableError, TimeoutError) as error:
                logger.debug("Nothing is forwarded: %s", error, extra={"action": "forward_failed"})
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def close(self) -> None:
        """Finish what was accepted and disconnect from both."""
        await self._main.close()
        await self._spill.close()

    async def _put(self, topic: str, entries: Sequence[Entry]) -> None:
        if self.spilled + len(entries) > SPILLED_MAX:
            raise LogOverloadedError(f"{self.spilled} records wait to be forwarded to Kafka")
        await self._spill.append(SPILLED, [(key, packed([topic, value])) for key, value in entries])
        self.spilled += len(entries)

    async def _settled(self) -> None:
        """Return when it is known where records go, and no pause changes that just now."""
        if self._spilling is None:
            with suppress(LogUnavailableError, StoreUnavailableError):
                await self._look()
        while not self._running.is_set():  # again: the next pause may begin before this wakes up
            await self._running.wait()

    async def _look(self) -> None:
        """Note how much waits, which another process may have put there."""
        spill = await self._spill.opened()
        ends = await spill.end_offsets(SPILLED)
        async with self._store.transaction() as transaction:
            stored = await transaction.next_offsets(GROUP, SPILLED, sorted(ends))
        self.spilled = sum(ends.values()) - sum(stored.values())
        # Only _drain() ends spilling: an append may be on its way into the spill just now.
        self._spilling = self._spilling or self.spilled > 0

    async def _drain(self) -> None:
        """Forward everything; then pause appends, forward the rest, and go on without the spill."""
        spill = await self._spill.opened()
        partitions = await spill.partitions(SPILLED)
        # Fewer than one partition's share: no partition held any back.
        while sum((await self._forward(spill)).values()) >= RECORDS_PER_STEP_MAX // partitions:
            pass
        self._running.clear()
        try:
            async with asyncio.timeout(PAUSE_MAX_S):
                await self._idle.wait()
                ends = await spill.end_offsets(SPILLED)
                while await self._remaining(ends):
                    await self._forward(spill)
            self._spilling = False
            self.spilled = 0
            logger.warning("Kafka has every event again.", extra={"action": "spill_drained"})
        finally:
            self._running.set()

    async def _remaining(self, ends: Mapping[int, int]) -> bool:
        async with self._store.transaction() as transaction:
            stored = await transaction.next_offsets(GROUP, SPILLED, sorted(ends))
        return any(stored[partition] < end for partition, end in ends.items())

    async def _forward(self, spill: EmbeddedEventLog) -> Mapping[int, int]:
        """Forward the oldest records; return how many of each partition."""
        partitions = range(await spill.partitions(SPILLED))
        async with self._store.transaction() as transaction:
            # Locked until the commit: one process forwards, the others wait for their turn.
            starts = await transaction.next_offsets(GROUP, SPILLED, partitions)
            records = await spill.read(SPILLED, starts, RECORDS_PER_STEP_MAX)
            await self._send(records)
            after = {record.partition: record.offset + 1 for record in records}
            if after:
                await transaction.set_next_offsets(GROUP, SPILLED, after)
        await spill.drop(SPILLED, after)
        counts = {partition: after[partition] - starts[partition] for partition in after}
        self.spilled = max(0, self.spilled - sum(counts.values()))
        return counts

    async def _send(self, records: Sequence[Record]) -> None:
        """Append to Kafka, topic by topic: each key's records stay in their order."""
        by_topic: dict[str, list[Entry]] = {}
        for record in records:
            topic, value = cast("tuple[str, bytes]", unpacked(record.value))
            by_topic.setdefault(topic, []).append((record.key, value))
        async with asyncio.timeout(FORWARD_TIMEOUT_S):
            for topic, entries in by_topic.items():
                await self._main.append(topic, entries)
