"""Consumers killed, broker and database crashed, network cut, all under load: exactly once.

At the end the database holds, row by row, what one thread learns from the same events one by one.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from attune.contract.event import Event
from origin.event_log import EVENTS, open_event_log
from origin.event_log.broker import process
from origin.event_log.broker.process import Broker
from origin.event_log.port import EventLog, LogUnavailableError
from origin.storage.database import OUTAGES, connection_pool, migrate
from origin.storage.embedded_postgres import running_postgres
from origin.storage.postgres import PostgresStore
from tests.integration.consumers.fleet import Fleet
from tests.integration.consumers.line import Line
from tests.integration.consumers.traffic import (
    assert_same,
    entries,
    events,
    fill,
    learned,
    reference,
)

EVENTS_TOTAL = 12_000
EVENTS_PER_APPEND = 40
POISON_EVERY = 50
"""Appends between two records that nobody can read."""
CONSUMERS = 5
ROUNDS = {"embedded": 4, "kafka": 11}
"""Times that the whole fleet is killed, one by one. On Kafka each costs the six seconds after which
the broker gives killed members up."""


class Machines:
    """A database, maybe a broker, and the lines to them."""

    def __init__(self, home: Path, kafka_home: Path | None) -> None:
        self._home = home
        self._database = ExitStack()
        self.database_url = ""
        """Of the database itself, for those who look at it from outside."""
        database_port, kafka_port = process.free_port(), process.free_port()
        self.far_database_url = f"postgresql://postgres@127.0.0.1:{database_port}/postgres"
        self._lines = [Line(database_port, self._reach_database)]
        self.broker: Broker | None = None
        if kafka_home is not None:
            broker = Broker(kafka_home, process.free_port(), advertised_port=kafka_port)
            self._lines.append(
                Line(kafka_port, lambda: asyncio.open_connection("127.0.0.1", broker.port))
            )
            self.broker = broker

    async def start(self) -> None:
        """Start everything, with an empty database."""
        self.start_database()
        for line in self._lines:
            await line.mend()
        if self.broker is not None:
            await asyncio.to_thread(process.start, self.broker)
        await migrate(self.database_url)
        async with connection_pool(self.database_url, 1) as pool:
            await fill(PostgresStore(pool))

    def stop(self) -> None:
        """Stop database and broker."""
        if self.broker is not None:
            process.stop(self.broker)
        self._database.close()

    def start_database(self) -> None:
        """Start the database; after a crash it recovers from its log."""
        self.database_url = self._database.enter_context(running_postgres(self._home))

    async def crash_database(self) -> None:
        """End it as a crash would, without a checkpoint, and start it again."""
        await asyncio.to_thread(self._crash_database)

    def _crash_database(self) -> None:
        pid = int((self._home / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.02)
        self.start_database()

    async def crash_broker(self) -> None:
        """Kill it and start it again."""
        assert self.broker is not None
        pid = process.running_pid(self.broker)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(process.start, self.broker)

    async def disconnect(self) -> None:
        """Cut the lines for good."""
        for line in self._lines:
            await line.cut()

    async def cut_network(self) -> None:
        """Close the ports for two seconds."""
        await self.disconnect()
        await asyncio.sleep(2.0)
        for line in self._lines:
            await line.mend()

    async def offsets(self) -> dict[str, list[tuple[int, int]]]:
        """Return of each group how far it is in each partition of the topic of events."""
        connection = await asyncpg.connect(self.database_url)
        try:
            rows = await connection.fetch(
                "SELECT consumer_group, partition, next_offset FROM consumer_offsets"
                " WHERE topic = $1 ORDER BY partition",
                EVENTS,
            )
        finally:
            await connection.close()
        groups: dict[str, list[tuple[int, int]]] = {}
        for group, *place in rows:
            groups.setdefault(group, []).append(tuple(place))
        return groups

    async def behind(self) -> int:
        """Return how many records are behind all groups; while the database is away, 0."""
        with suppress(*OUTAGES):
            groups = await self.offsets()
            return sum(offset for places in groups.values() for _, offset in places)
        return 0

    async def _reach_database(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        directory = parse_qs(urlsplit(self.database_url).query)["host"][0]
        return await asyncio.open_unix_connection(f"{directory}/.s.PGSQL.5432")


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def log_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def machines(log_kind: str, home: Path, tmp_path: Path) -> Iterator[Machines]:
    machines = Machines(home, tmp_path / "kafka" if log_kind == "kafka" else None)
    yield machines
    machines.stop()


@pytest.fixture
def fleet(machines: Machines) -> Iterator[Fleet]:
    # An empty variable counts as absent, whatever the developer's own environment says.
    address = machines.broker.bootstrap_servers if machines.broker else ""
    fleet = Fleet({"DATABASE_URL": machines.far_database_url, "KAFKA_BOOTSTRAP_SERVERS": address})
    yield fleet
    fleet.kill_all()


async def test_nothing_is_lost_or_doubled_whatever_is_killed_and_when(
    machines: Machines, fleet: Fleet, log_kind: str
) -> None:
    traffic = events(EVENTS_TOTAL, users=80)
    rng = random.Random(5)
    await machines.start()
    address = machines.broker.bootstrap_servers if machines.broker else None
    async with asyncio.timeout(240), await open_event_log(machines.database_url, address) as log:
        calm = asyncio.Event()
        async with _writing(log, traffic, calm):
            await _trouble(machines, fleet, ROUNDS[log_kind], rng)
            calm.set()
        await _learned_to_the_end(machines, log)
    assert await asyncio.to_thread(fleet.stop) == {0}
    await machines.disconnect()
    assert fleet.kills == ROUNDS[log_kind] * CONSUMERS
    assert_same(await learned(machines.database_url), await reference(traffic))
    await _assert_put_aside_once(machines.database_url, traffic)


async def _trouble(machines: Machines, fleet: Fleet, rounds: int, rng: random.Random) -> None:
    """Kill and crash; the fleet gets forward between two rounds."""
    fleet.start(1)
    await _progress(machines)
    fleet.start(CONSUMERS - 1)  # a rebalance under load
    crashes = [machines.crash_database, machines.cut_network]
    if machines.broker is not None:
        crashes.append(machines.crash_broker)
    for number in range(rounds):
        await _progress(machines)
        await asyncio.sleep(rng.uniform(0.0, 0.4))
        if number % 2 and crashes:
            await crashes.pop(0)()
        for _ in range(CONSUMERS):
            await asyncio.sleep(rng.uniform(0.0, 0.1))
            fleet.kill_one(rng)


async def _progress(machines: Machines) -> None:
    """Return when something more has been learned."""
    before = await machines.behind()
    async with asyncio.timeout(40):
        while await machines.behind() <= before:  # noqa: ASYNC110 - it asks
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _writing(
    log: EventLog, traffic: Sequence[Event], calm: asyncio.Event
) -> AsyncIterator[None]:
    """Append all of it during the block, slowly; at its end in haste."""
    writing = asyncio.create_task(_write(log, traffic, calm))
    try:
        yield
        await writing
    finally:
        writing.cancel()


async def _write(log: EventLog, traffic: Sequence[Event], calm: asyncio.Event) -> None:
    """Append; what is not confirmed is sent again, as the edge does."""
    for start in range(0, len(traffic), EVENTS_PER_APPEND):
        batch = entries(traffic[start : start + EVENTS_PER_APPEND])
        if start // EVENTS_PER_APPEND % POISON_EVERY == 0:
            batch.append((b"key", b"\xc1%d" % start))
        while True:
            try:
                await log.append(EVENTS, batch)
                break
            except LogUnavailableError:
                await asyncio.sleep(0.1)
        with suppress(TimeoutError):
            await asyncio.wait_for(calm.wait(), 0.25)


async def _learned_to_the_end(machines: Machines, log: EventLog) -> None:
    """Return when every group stands exactly at the end of the log."""
    ends = sorted((await log.end_offsets(EVENTS)).items())
    async with asyncio.timeout(60):
        while any(offsets != ends for offsets in (await machines.offsets()).values()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _assert_put_aside_once(url: str, traffic: Sequence[Event]) -> None:
    """Raise unless every poison was put aside, and no place of the log twice."""
    connection = await asyncpg.connect(url)
    try:
        letters = await connection.fetch("SELECT partition, log_offset, value FROM dead_letters")
    finally:
        await connection.close()
    assert len({(row["partition"], row["log_offset"]) for row in letters}) == len(letters)
    step = EVENTS_PER_APPEND * POISON_EVERY
    poison = {b"\xc1%d" % start for start in range(0, len(traffic), step)}
    assert {row["value"] for row in letters} == poison
