"""The origin's intake while a real Kafka is away: nothing acknowledged is lost, order is kept."""

import asyncio
import os
import signal
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from starlette.testclient import TestClient

from origin.event_log import EVENTS
from origin.event_log.broker import process
from origin.event_log.broker.process import Broker
from origin.event_log.embedded import EmbeddedEventLog
from origin.event_log.kafka import KafkaEventLog
from origin.event_log.port import LogOverloadedError, LogUnavailableError, Record, partition_of
from origin.http.app import application
from origin.http.log_intake import LogIntake
from origin.http.services import open_services
from origin.http.spilling_intake import SpillingIntake
from origin.settings import Settings
from origin.storage.database import connection_pool
from origin.storage.postgres import PostgresStore

WEEK_MS = 7 * 24 * 3600 * 1000
PARTITIONS = 4
KEYS = 6

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def home_of_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("kafka"), process.free_port())
    yield broker
    process.stop(broker)


@pytest.fixture
def broker(home_of_kafka: Broker) -> Broker:
    """Return a broker that does not run, after whatever the test before did with it."""
    process.stop(home_of_kafka)
    return home_of_kafka


def cut_power(broker: Broker) -> None:
    if (pid := process.running_pid(broker)) is not None:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid.uuid4().hex[:8]}"


@asynccontextmanager
async def intake(url: str, broker: Broker) -> AsyncIterator[SpillingIntake]:
    """Yield the intake of one process of the origin."""
    address = broker.bootstrap_servers
    async with connection_pool(url, 2) as pool:
        made = SpillingIntake(
            LogIntake(lambda: KafkaEventLog.open(address, PARTITIONS, WEEK_MS)),
            LogIntake(lambda: EmbeddedEventLog.open(url, PARTITIONS, WEEK_MS)),
            PostgresStore(pool),
        )
        forwarding = asyncio.create_task(made.forward())
        try:
            yield made
        finally:
            forwarding.cancel()
            await asyncio.wait((forwarding,))
            await made.close()


class Visitors:
    """Writers of numbered records, each of which waits for the confirmation of the one before."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self.acknowledged: dict[bytes, list[int]] = defaultdict(list)
        self._number = 0

    async def act(self, log: SpillingIntake, seconds: float) -> None:
        """Write with every key at once for so long; what is refused is sent again."""
        deadline_s = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(*(self._write(log, b"key-%d" % n, deadline_s) for n in range(KEYS)))

    async def _write(self, log: SpillingIntake, key: bytes, deadline_s: float) -> None:
        while asyncio.get_running_loop().time() < deadline_s:
            self._number += 1
            number = self._number
            while True:
                try:
                    await log.append(self._topic, [(key, b"%d" % number)])
                    break
                except LogUnavailableError:
                    await asyncio.sleep(0.05)
            self.acknowledged[key].append(number)
            await asyncio.sleep(0.005)


async def in_kafka(broker: Broker, topic: str) -> dict[bytes, list[int]]:
    """Return the numbers of each key, in the order in which each first came."""
    found: dict[bytes, dict[int, None]] = defaultdict(dict)
    async with await KafkaEventLog.open(broker.bootstrap_servers, PARTITIONS, WEEK_MS) as log:
        ends = await log.end_offsets(topic)
        member = await log.join(topic, "check")
        try:
            records: list[Record] = []
            async with asyncio.timeout(20):
                while len(await member.assignment()) < PARTITIONS:
                    await member.read({}, 1, 20)
                positions = dict.fromkeys(ends, 0)
                while positions != ends:
                    for record in await member.read(positions, 5_000, 100):
                        positions[record.partition] = record.offset + 1
                        records.append(record)
        finally:
            await member.leave()
    for record in records:
        found[record.key].setdefault(int(record.value))
    return {key: list(numbers) for key, numbers in found.items()}


async def drained(log: SpillingIntake) -> None:
    async with asyncio.timeout(30):
        while not await log.append("probes", [(b"probe", b"0")]):  # noqa: ASYNC110 - it asks
            await asyncio.sleep(0.1)
    assert log.spilled == 0


async def test_a_killed_broker_costs_no_acknowledged_event_and_no_order(
    new_postgres_url: str, broker: Broker, topic: str
) -> None:
    visitors = Visitors(topic)
    async with intake(new_postgres_url, broker) as log:
        # Kafka has never answered: everything goes to the database.
        await visitors.act(log, 0.5)
        assert log.spilled > 0
        await asyncio.to_thread(process.start, broker)
        await drained(log)
        # Killed under load, and back while the load goes on.
        acting = asyncio.create_task(visitors.act(log, 6.0))
        await asyncio.sleep(0.3)
        cut_power(broker)
        async with asyncio.timeout(5):
            while not log.spilled:  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.05)
        await asyncio.to_thread(process.start, broker)
        await acting
        await drained(log)
    found = await in_kafka(broker, topic)
    assert found == visitors.acknowledged
    assert sum(map(len, found.values())) > 500


async def test_the_next_process_forwards_what_a_dead_one_left_and_keeps_the_order(
    new_postgres_url: str, broker: Broker, topic: str
) -> None:
    visitors = Visitors(topic)
    async with intake(new_postgres_url, broker) as log:
        await visitors.act(log, 0.3)
    await asyncio.to_thread(process.start, broker)
    async with intake(new_postgres_url, broker) as log, intake(new_postgres_url, broker) as other:
        # Its first events come before it has forwarded anything.
        await visitors.act(log, 0.3)
        await visitors.act(other, 0.3)
        await drained(log)
        await drained(other)
    found = await in_kafka(broker, topic)
    assert found == visitors.acknowledged
    connection = await asyncpg.connect(new_postgres_url)
    assert await connection.fetchval("SELECT count(*) FROM event_log") == 0
    await connection.close()


async def test_a_full_spill_is_an_overload_and_grows_no_further(
    new_postgres_url: str, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("origin.http.spilling_intake.SPILLED_MAX", 3)
    async with intake(new_postgres_url, broker) as log:
        assert await log.append(EVENTS, [(b"key", b"value")] * 3) == {}
        with pytest.raises(LogOverloadedError):
            await log.append(EVENTS, [(b"key", b"value")])
        assert log.spilled == 3


def click(client: TestClient, *user_ids: str) -> tuple[int, dict[str, object], str | None]:
    events = [
        {
            "event_id": f"{user_id}-{number}",
            "type": "click",
            "consent": "full",
            "user_id": user_id,
            "session_id": "session",
            "item_id": "item",
            "occurred_at_ms": 1_700_000_000_000,
        }
        for number, user_id in enumerate(user_ids)
    ]
    answer = client.post("/v1/events", json={"events": events})
    return answer.status_code, answer.json(), answer.headers.get("retry-after")


def test_events_are_accepted_while_kafka_is_away_and_refused_while_both_are(
    home: Path, broker: Broker, tmp_path: Path
) -> None:
    from contextlib import ExitStack

    from origin.storage.embedded_postgres import running_postgres

    with ExitStack() as server:
        url = server.enter_context(running_postgres(home))
        settings = Settings(url, broker.bootstrap_servers, topic_partitions=2, home=tmp_path)
        with TestClient(application(lambda: open_services(settings, url))) as client:
            assert client.get("/readyz").status_code == 200
            status, body, _ = click(client, "ann", "ann")
            assert (status, body["accepted"], body["positions"]) == (202, 2, {})
            assert "attune_spilled_events 2.0" in client.get("/metrics").text
            server.close()
            status, body, retry_after = click(client, "ann")
            assert (status, retry_after) == (503, "2")
            server.enter_context(running_postgres(home))
            process.start(broker)
            positions: Sequence[object] = ()
            for _ in range(100):
                status, body, _ = click(client, "ann")
                if status == 202 and body["positions"]:
                    positions = list(body["positions"])  # pyright: ignore
                    break
                client.portal.call(asyncio.sleep, 0.2)  # pyright: ignore
            assert positions == [str(partition_of(b"ann", 2))]
