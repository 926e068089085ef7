"""How many events a second become durable user embeddings, with exactly-once effect.

Real processes: an Apache Kafka, a PostgreSQL, and one or two ``attune consume``. The topic is
filled first; then the consumers start, and the clock runs from the first offsets that they commit
to the last ones. Beside that, on the same machine with the same records: the rate at which the bare
client reads them, and the rate at which the database takes bare upserts of such rows.
"""

# aiokafka types few of its arguments and results.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

import asyncio
import json
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import asyncpg
import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from numpy.typing import NDArray

from attune.contract.item import Item
from origin.bench.processor_time import family_of, seconds_of
from origin.bench.stream_events import (
    ITEMS,
    Traffic,
    append_all,
    drawn,
    item_name,
    user_name,
)
from origin.demo.processes import ProcessError, Processes
from origin.event_log import EVENTS
from origin.event_log.broker import process as kafka
from origin.event_log.kafka import KafkaEventLog
from origin.storage.database import connection_pool, migrate
from origin.storage.embedded_postgres import running_postgres
from origin.storage.named_sql import statements
from origin.storage.postgres import PostgresStore
from origin.storage.user_columns import fixed, read_embeddings

SQL = statements("bench_stream")

POLL_S = 0.02
STALL_S = 60.0
ROWS_PER_UPSERT = 5_000
SAMPLE_USERS = 200
RETENTION_MS = 3_600_000
PARTITIONS = 8

Replay = Callable[[Mapping[str, NDArray[np.float32]], Traffic, Sequence[int]], "Replayed"]
Replayed = Awaitable[Mapping[int, NDArray[np.float32]]]
"""Works out the embeddings of some users, one event at a time: items, traffic, users."""

Tell = Callable[[str, int, int], object]
"""Is told what goes on, how many events of it are done, of how many."""


@dataclass(slots=True)
class Run:
    """One run of the consumers over the whole topic."""

    processes: int
    groups: str
    events_per_s: float
    seconds: float
    consumers_us: float
    """Processor time per event of the consumers, of the database, of the broker."""
    database_us: float
    broker_us: float
    stages_us: dict[str, float] = field(default_factory=dict[str, float])
    records_per_batch: float = 0.0


@dataclass(slots=True)
class StreamFigures:
    """What the benchmark found."""

    events: int
    append_per_s: float
    bytes_per_record: float
    client_per_s: float
    client_us: float
    upsert_per_s: float
    runs: list[Run]
    bytes_per_user: float
    state_bytes_per_user: float
    users: int
    sample: int
    sample_equal: int


async def measured_stream(
    home: Path,
    inherited: Mapping[str, str],
    traffic_of: tuple[int, int, bool],
    processes: Sequence[int],
    all_groups: bool,
    replay: Replay,
    tell: Tell,
) -> StreamFigures:
    """Return the figures.

    Args:
        home: an empty directory for everything that the processes keep.
        inherited: the environment that the processes start from.
        traffic_of: number of events, of users, and whether users follow Zipf's law.
        processes: with how many consumer processes to run, one run each.
        all_groups: whether one more run learns everything, not only embeddings.
        replay: the reference.
        tell: is told of the progress.
    """
    events, users, zipf = traffic_of
    traffic = drawn(events, users, zipf, time.time_ns() // 1_000_000)
    broker = kafka.Broker(home / "kafka", kafka.free_port())
    try:
        await asyncio.to_thread(kafka.start, broker)
        with running_postgres(home) as url:
            items = await _fill(url)
            bench = _Bench(url, broker, home, inherited, traffic, tell)
            return await bench.run(processes, all_groups, items, replay)
    finally:
        await asyncio.to_thread(kafka.stop, broker)


@dataclass(frozen=True, slots=True)
class _Bench:
    url: str
    broker: kafka.Broker
    home: Path
    inherited: Mapping[str, str]
    traffic: Traffic
    tell: Tell

    @property
    def events(self) -> int:
        return len(self.traffic.users)

    async def run(
        self,
        processes: Sequence[int],
        all_groups: bool,
        items: Mapping[str, NDArray[np.float32]],
        replay: Replay,
    ) -> StreamFigures:
        appended_s = await self._append()
        client_s, client_cpu_s, value_bytes = await self._read_bare()
        upsert_per_s = await self._upsert_bare()
        runs: list[Run] = []
        sizes, equal, sample = (0.0, 0.0, 0), 0, self._sample()
        for count in processes:
            runs.append(await self._consume(count, "users"))
            sizes = await self._sizes()
            equal = await self._equal(await replay(items, self.traffic, sample))
        if all_groups:
            runs.append(await self._consume(1, "all"))
        return StreamFigures(
            events=self.events,
            append_per_s=self.events / appended_s,
            bytes_per_record=value_bytes / self.events,
            client_per_s=self.events / client_s,
            client_us=client_cpu_s / self.events * 1e6,
            upsert_per_s=upsert_per_s,
            runs=runs,
            bytes_per_user=sizes[0],
            state_bytes_per_user=sizes[1],
            users=sizes[2],
            sample=len(sample),
            sample_equal=equal,
        )

    async def _append(self) -> float:
        servers, done = self.broker.bootstrap_servers, 0

        def tell(count: int) -> None:
            nonlocal done
            done += count
            self.tell("filling the topic", done, self.events)

        async with await KafkaEventLog.open(servers, PARTITIONS, RETENTION_MS) as log:
            partitions = await log.partitions(EVENTS)
        return await append_all(servers, EVENTS, partitions, self.traffic, tell)

    async def _read_bare(self) -> tuple[float, float, int]:
        """Read the topic with the bare client; return seconds, processor seconds and bytes."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.broker.bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        consumer.assign([TopicPartition(EVENTS, number) for number in range(PARTITIONS)])
        started_s, worked_s = time.perf_counter(), time.process_time()
        read, size = 0, 0
        try:
            while read < self.events:
                batches = await consumer.getmany(timeout_ms=1000)
                for batch in batches.values():
                    read += len(batch)
                    size += sum(len(record.value or b"") for record in batch)
                self.tell("reading with the bare client", read, self.events)
        finally:
            took = time.perf_counter() - started_s, time.process_time() - worked_s
            await consumer.stop()
        return *took, size

    async def _upsert_bare(self) -> float:
        """Upsert a row of every user, twice; return rows a second of the second time."""
        users = int(self.traffic.users.max()) + 1
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(SQL["create_scratch"])
            started_s = 0.0
            for _ in range(2):
                started_s = time.perf_counter()
                for start in range(0, users, ROWS_PER_UPSERT):
                    names = [
                        user_name(n) for n in range(start, min(start + ROWS_PER_UPSERT, users))
                    ]
                    count = len(names)
                    await connection.execute(
                        SQL["upsert_scratch"], names, [bytes(128)] * count, [1] * count,
                        [2] * count, [bytes(180)] * count, [b""] * count,
                    )  # fmt: skip
                    self.tell("upserting bare rows", start + count, users)
            took_s = time.perf_counter() - started_s
            await connection.execute(SQL["drop_scratch"])
        finally:
            await connection.close()
        return users / took_s

    async def _consume(self, count: int, groups: str) -> Run:
        """Run consumers over the whole topic, from an empty database."""
        connection = await asyncpg.connect(self.url)
        wanted = ["users"] if groups == "users" else ["users", "learning"]
        arguments = ["consume", "--json", *(["--only", "users"] if groups == "users" else [])]
        environment = {
            "ATTUNE_HOME": str(self.home),
            "DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
        }
        logs = self.home / f"logs-{groups}-{count}"
        try:
            await connection.execute(SQL["empty"])
            await connection.execute(SQL["checkpoint"])
            with Processes(logs, self.inherited) as fleet:
                children = [
                    fleet.start(f"consumer-{number}", arguments, environment)
                    for number in range(count)
                ]
                pids = [child.process.pid for child in children]
                found = await self._watched(connection, wanted, pids, fleet)
                for child in children:
                    child.process.send_signal(signal.SIGTERM)
                for child in children:
                    child.process.wait(10)
        finally:
            await connection.close()
        seconds, events, worked = found
        stages, batches = _stages([child.log for child in children])
        return Run(
            processes=count,
            groups=groups,
            events_per_s=events / seconds,
            seconds=seconds,
            consumers_us=worked[0] / events * 1e6,
            database_us=worked[1] / events * 1e6,
            broker_us=worked[2] / events * 1e6,
            stages_us={name: s / self.events * 1e6 for name, s in stages.items()},
            records_per_batch=self.events * len(wanted) / max(batches, 1),
        )

    async def _watched(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        groups: Sequence[str],
        pids: Sequence[int],
        fleet: Processes,
    ) -> tuple[float, int, NDArray[np.float64]]:
        """Return seconds, events and processor seconds from the first commit to the last one.

        Counted are the events of the slowest group.
        """
        postgres = int((self.home / "postgres" / "postmaster.pid").read_text().split()[0])
        broker = kafka.running_pid(self.broker) or 0

        def worked_s() -> NDArray[np.float64]:
            families = (family_of(pid) for pid in (postgres, broker))
            return np.array([seconds_of(pids), *map(seconds_of, families)])

        async def behind() -> int:
            rows = await connection.fetch(SQL["behind"], EVENTS)
            return min((dict(map(tuple, rows)).get(group, 0) for group in groups), default=0)

        what = f"learning in {len(pids)} processes ({', '.join(groups)})"
        first, moved_s, before = 0, time.perf_counter(), 0
        started_s, work_before = 0.0, np.zeros(3)
        while (now := await behind()) < self.events:
            if now and not first:
                first, started_s, work_before = now, time.perf_counter(), worked_s()
            if now != before:
                before, moved_s = now, time.perf_counter()
                self.tell(what, now, self.events)
            if time.perf_counter() - moved_s > STALL_S:
                raise ProcessError(f"no event was learned for {STALL_S:g} s; see {fleet.logs}")
            fleet.require_running()
            await asyncio.sleep(POLL_S)
        took_s = time.perf_counter() - started_s
        self.tell(what, self.events, self.events)
        return took_s, self.events - first, worked_s() - work_before

    async def _sizes(self) -> tuple[float, float, int]:
        """Return bytes on disk and bytes of state per user, and the number of users."""
        connection = await asyncpg.connect(self.url)
        try:
            record = await connection.fetchrow(SQL["sizes"])
        finally:
            await connection.close()
        assert record is not None, "an aggregate always has a row"
        return record["disk"], record["state"], record["users"]

    def _sample(self) -> list[int]:
        rng = np.random.default_rng(5)
        found = np.unique(self.traffic.users)
        return rng.permutation(found)[:SAMPLE_USERS].tolist()

    async def _equal(self, expected: Mapping[int, NDArray[np.float32]]) -> int:
        """Return how many users have the expected embedding, to the bit."""
        names = {user_name(user): embedding for user, embedding in expected.items()}
        connection = await asyncpg.connect(self.url)
        try:
            rows = await connection.fetch(SQL["embeddings"], list(names))
        finally:
            await connection.close()
        stored = read_embeddings([row["embedding"] for row in rows])
        return sum(
            bool((embedding == fixed(names[row["user_id"]])).all())
            for row, embedding in zip(rows, stored, strict=True)
        )


async def _fill(url: str) -> Mapping[str, NDArray[np.float32]]:
    """Make a catalogue; return its embeddings as the database holds them."""
    await migrate(url)
    vectors = np.random.default_rng(1).normal(size=(ITEMS, 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    halves = vectors.astype(np.float16).astype(np.float32)
    names = [item_name(number) for number in range(ITEMS)]
    embeddings = dict(zip(names, halves, strict=True))
    async with connection_pool(url, 1) as pool:
        store = PostgresStore(pool)
        await store.put_items([Item(item_id=name, title=name) for name in names], 0)
        await store.put_embeddings("bench", embeddings)
    return embeddings


def _stages(logs: Sequence[Path]) -> tuple[dict[str, float], int]:
    """Return the processor seconds of each stage and the batches, summed over last reports."""
    stages: dict[str, float] = {}
    batches = 0
    for log in logs:
        reports: dict[str, dict[str, object]] = {}
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("{"):
                report = json.loads(line)
                reports[report["group"]] = report
        for report in reports.values():
            batches += cast("int", report["batches"])
            for name, seconds in cast("dict[str, float]", report["worked_s"]).items():
                stages[name] = stages.get(name, 0.0) + seconds
    return stages, batches
