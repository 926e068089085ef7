"""Real consumer processes, killed again and again under load: nothing is lost, nothing doubled."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from origin.event_log import EVENTS, open_event_log
from origin.event_log.port import EventLog
from origin.storage.database import connection_pool
from origin.storage.postgres import PostgresStore
from tests.integration.consumers.traffic import (
    assert_same,
    entries,
    events,
    fill,
    learned,
    reference,
)

Consumers = list[subprocess.Popen[bytes]]
EVENTS_TOTAL = 6_000
POISON = b"\xc1"


class Fleet:
    """Some ``attune consume`` processes that share the work."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._consumers: Consumers = []

    def start(self) -> None:
        """Start one more."""
        command = (sys.executable, "-c", "from origin.commands import main; main()", "consume")
        self._consumers.append(
            subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL)
        )

    def kill_one(self, rng: random.Random) -> None:
        """Kill one as a power cut would, and start another in its place."""
        victim = self._consumers.pop(rng.randrange(len(self._consumers)))
        victim.kill()
        victim.wait()
        self.start()

    def stop(self) -> list[int]:
        """Stop all as an operator would; return their exit codes and fail past the deadline."""
        for consumer in self._consumers:
            consumer.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 5
        try:
            return [one.wait(deadline - time.monotonic()) for one in self._consumers]
        finally:
            self.kill_all()

    def kill_all(self) -> None:
        """Leave no process behind, whatever happened."""
        for consumer in self._consumers:
            consumer.kill()
            consumer.wait()
        self._consumers.clear()


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def kafka(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "embedded" else request.getfixturevalue("kafka_broker")


@pytest.fixture
def fleet(kafka: str | None, new_postgres_url: str) -> Iterator[Fleet]:
    # An empty variable counts as absent, whatever the developer's own environment says.
    fleet = Fleet({"DATABASE_URL": new_postgres_url, "KAFKA_BOOTSTRAP_SERVERS": kafka or ""})
    yield fleet
    fleet.kill_all()


@asynccontextmanager
async def progress(url: str, log: EventLog) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Yield a question: how many records are behind the group?"""
    async with connection_pool(url, 1) as pool:
        store = PostgresStore(pool)
        await fill(store)
        partitions = range(await log.partitions(EVENTS))

        async def processed() -> int:
            async with store.transaction() as transaction:
                offsets = await transaction.next_offsets("learning", EVENTS, partitions)
            return sum(offsets.values())

        yield processed


async def test_killed_consumers_lose_nothing_and_double_nothing(
    fleet: Fleet, kafka: str | None, new_postgres_url: str
) -> None:
    traffic = events(EVENTS_TOTAL, users=60)
    rng = random.Random(5)
    async with (
        await open_event_log(new_postgres_url, kafka) as log,
        progress(new_postgres_url, log) as processed,
    ):
        fleet.start()
        fleet.start()
        writing = asyncio.create_task(_write(log, traffic))
        kills = 0
        async with asyncio.timeout(150):
            while await processed() < EVENTS_TOTAL + EVENTS_TOTAL // 100:
                await asyncio.sleep(rng.uniform(0.5, 2.0))
                if kills < (4 if kafka else 8):
                    fleet.kill_one(rng)
                    kills += 1
            await writing
        assert kills >= 3
        # One that is still starting has no handler yet and dies of the signal itself.
        assert set(fleet.stop()) <= {0, -signal.SIGTERM}
    assert_same(await learned(new_postgres_url), await reference(traffic))
    connection = await asyncpg.connect(new_postgres_url)
    assert await connection.fetchval("SELECT count(*) FROM dead_letters") == EVENTS_TOTAL // 100
    await connection.close()


async def _write(log: EventLog, traffic: list) -> None:
    """Append slowly enough that consumers are killed amid it, with one poison in a hundred."""
    for start in range(0, len(traffic), 100):
        await log.append(EVENTS, [*entries(traffic[start : start + 100]), (b"key", POISON)])
        await asyncio.sleep(0.12)
