"""What it saves, and what it costs, to let events of inactive users wait for the daily batch.

A file of ratings is learned in windows of its own time, with a daily batch at midnight, once for
each boundary. On PostgreSQL it is measured what that writes and works, in memory how old a user's
embedding is when the user comes: the next event stands for the next request.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.event import Interaction
from attune.contract.item import Item
from origin.bench.processor_time import family_of, seconds_of
from origin.storage.memory import MemoryStore
from origin.storage.named_sql import statements
from origin.storage.port import LearningStore
from origin.storage.postgres import PostgresStore

if TYPE_CHECKING:
    from origin.storage.database import Pool

SQL = statements("bench_boundary")

WINDOW_MS = 600_000
"""Events of so long are one batch."""

MS_PER_HOUR = 3_600_000
MS_PER_DAY = 86_400_000

Tell = Callable[[int], object]
"""Is told how many events were learned."""


class Learner(Protocol):
    """The users' processor with a boundary, on a store, and its daily batch."""

    async def learn(self, events: Sequence[Interaction]) -> None:
        """Process a batch."""
        ...

    async def catch_up(self) -> int:
        """Learn what waits; return how many events that were."""
        ...

    @property
    def deferred(self) -> int:
        """Return how many events waited so far."""
        ...


Open = Callable[[LearningStore, int], Learner]
"""Opens a learner on a store, with a boundary in days (0: everybody is active)."""


@dataclass(frozen=True, slots=True)
class BoundaryFigures:
    """What one boundary does."""

    within_days: int
    events: int
    deferred_share: float
    """Of the events, those that waited."""
    daily_share: float
    """Of the events, those that waited until the daily batch."""
    database_us: float
    processor_us: float
    written_bytes: float
    """Of the write-ahead log, per event; the three include the daily batch."""
    stale_share: float
    """Of the events, those that found earlier ones of their user waiting."""
    stale_hours_p50: float
    stale_hours_p95: float
    """How old the oldest of those was then."""


async def measured_boundary(
    days: int,
    events: Sequence[Interaction],
    pool: "Pool",
    store: PostgresStore,
    home: Path,
    opened: Open,
    tell: Tell,
) -> BoundaryFigures:
    """Return the figures of a boundary; ``store`` lies on the embedded server in ``home``."""
    async with pool.acquire() as connection:
        await connection.execute(SQL["empty"])
        await _fill(store, events)
        await connection.execute(SQL["checkpoint"])
        postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
        wrote = await connection.fetchval(SQL["written"])
        database_s, processor_s = seconds_of(family_of(postmaster)), time.process_time()
        learner = opened(store, days)
        daily = await _walked(learner, events, tell)
        processor_s = time.process_time() - processor_s
        database_s = seconds_of(family_of(postmaster)) - database_s
        wrote = await connection.fetchval(SQL["written"]) - wrote
    ages = await _ages_ms(opened, days, events)
    count = len(events)
    return BoundaryFigures(
        within_days=days,
        events=count,
        deferred_share=learner.deferred / count,
        daily_share=daily / count,
        database_us=database_s / count * 1e6,
        processor_us=processor_s / count * 1e6,
        written_bytes=wrote / count,
        stale_share=len(ages) / count,
        stale_hours_p50=_percentile(ages, 50) / MS_PER_HOUR,
        stale_hours_p95=_percentile(ages, 95) / MS_PER_HOUR,
    )


async def _walked(learner: Learner, events: Sequence[Interaction], tell: Tell) -> int:
    """Learn all events; return how many the daily batches learned."""
    daily, day = 0, 0
    for window in _windows(events):
        if day != (day := window[0].occurred_at_ms // MS_PER_DAY):
            daily += await learner.catch_up()
        await learner.learn(window)
        tell(len(window))
    return daily + await learner.catch_up()


async def _ages_ms(opened: Open, days: int, events: Sequence[Interaction]) -> list[int]:
    """Return for each event that came while others of its user waited, how old the oldest was."""
    store = MemoryStore()
    await _fill(store, events)
    ages: list[int] = []
    learner, day = opened(store, days), 0
    since: dict[str, int] = {}
    for window in _windows(events):
        if day != (day := window[0].occurred_at_ms // MS_PER_DAY):
            await learner.catch_up()
            since.clear()
        named = [(event.user_id or "", event.occurred_at_ms) for event in window]
        ages += [at_ms - since[user_id] for user_id, at_ms in named if user_id in since]
        await learner.learn(window)
        async with store.transaction() as transaction:
            waiting = await transaction.deferred_latest([user_id for user_id, _ in named])
        for user_id, at_ms in named:
            if user_id in waiting:
                since.setdefault(user_id, at_ms)
            else:
                since.pop(user_id, None)
    return ages


def _windows(events: Sequence[Interaction]) -> Iterator[list[Interaction]]:
    for _, window in groupby(events, key=lambda event: event.occurred_at_ms // WINDOW_MS):
        yield list(window)


async def _fill(store: PostgresStore | MemoryStore, events: Sequence[Interaction]) -> None:
    """Put the items into the catalogue, with embeddings that were drawn."""
    names = sorted({event.item_id for event in events})
    vectors = np.random.default_rng(1).normal(size=(len(names), EMBEDDING_DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    await store.put_items([Item(item_id=name, title=name) for name in names], 0)
    rows = dict(zip(names, vectors.astype(np.float32), strict=True))
    await store.put_embeddings("bench", rows)


def _percentile(ages_ms: Sequence[int], percent: int) -> float:
    return float(np.percentile(ages_ms, percent)) if ages_ms else 0.0
