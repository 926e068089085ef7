"""Chores: what has to be done now and then beside the stream, each at its own interval.

Every process does all of them; those that must not be done twice at once lock what they take, and
leave out what another one holds.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from origin.event_log.port import LogUnavailableError
from origin.storage.port import LearningStore, StoreUnavailableError

PRUNED_PER_TRANSACTION = 5_000
"""Rows of each kind: about 50 ms, so that no batch waits long behind it."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do at an interval; ``run`` takes the time and returns how much it did."""

    name: str
    interval_s: float
    run: Callable[[int], Awaitable[int]]


async def do_chores(chores: Sequence[Chore], stopping: asyncio.Event) -> None:
    """Do all chores until ``stopping`` is set; an outage only postpones them."""
    await asyncio.gather(*(_repeat(chore, stopping) for chore in chores))


async def _repeat(chore: Chore, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            await chore.run(time.time_ns() // 1_000_000)
        except (StoreUnavailableError, LogUnavailableError) as error:
            logger.warning(
                "The chore %s waits: %s", chore.name, error,
                extra={"action": "chore_waits", "chore": chore.name},
            )  # fmt: skip
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), chore.interval_s)


@dataclass(frozen=True, slots=True)
class Pruning:
    """Drops what the history keeps no longer, a bounded number of rows at a time."""

    store: LearningStore
    retention_ms: int

    async def run(self, now_ms: int) -> int:
        """Drop all that is too old; return how many rows went."""
        total = 0
        while True:
            async with self.store.transaction() as transaction:
                gone = await transaction.forget_outcomes(
                    now_ms - self.retention_ms, PRUNED_PER_TRANSACTION
                )
            total += gone
            if gone < PRUNED_PER_TRANSACTION:
                return total


SEEDS_PER_TRANSACTION = 500
"""Up to some ten thousand pairs: about 50 ms. At a page in five seconds a catalogue of 100,000
items is gone through in a quarter of an hour."""


class NeighbourPruning:
    """Goes through the seeds of co-visitation, a page at a time, and keeps the strongest pairs."""

    def __init__(self, store: LearningStore) -> None:
        self._store = store
        self._after = ""

    async def run(self, now_ms: int) -> int:
        """Prune the next page; return whether there was one."""
        async with self._store.transaction() as transaction:
            last = await transaction.prune_covisits(self._after, SEEDS_PER_TRANSACTION)
        self._after = last or ""
        return int(last is not None)
