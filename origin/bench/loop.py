"""How long an event takes until another session of the same visitor sees it in a slate.

Real processes over a fresh database: the origin over HTTP, the stream processors, and the event log
inside the database or on a real Apache Kafka. One session buys an item; another one, which knows
nothing of it, asks for bundle after bundle until one has learned of the purchase, and then for a
slate, which must not offer the item any more. The clock runs from before the event is posted until
the slate has arrived.
"""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import Bundle, BundleRequest, pack_bundle_request, read_bundle
from attune.contract.item import Item
from origin.demo.processes import Processes
from origin.event_log.broker import process as kafka
from origin.packing import packed, unpacked
from origin.storage.database import connection_pool, migrate
from origin.storage.embedded_postgres import running_postgres
from origin.storage.postgres import PostgresStore

ITEMS = 2_000
CATEGORIES = 20
CANDIDATES = 100
USERS = 50
"""Visitors that take turns: after a round each one has a history."""

READY_TIMEOUT_S = 60.0
VISIBLE_TIMEOUT_S = 10.0
QUESTION_PAUSE_S = 0.01
"""Between two bundles: without it the questions themselves keep a small machine busy."""
WARM_UP_EVENTS = 25
BACKGROUND_BATCH = 50


@dataclass(slots=True)
class LoopTimes:
    """Milliseconds of each event, and the events that were not seen in time."""

    visible_ms: list[float] = field(default_factory=list[float])
    accepted_ms: list[float] = field(default_factory=list[float])
    question_ms: list[float] = field(default_factory=list[float])
    """One bundle: the resolution with which visibility was looked for."""
    missed: int = 0


def measured_loop(
    log: str, events: int, background_per_s: int, home: Path, inherited: Mapping[str, str]
) -> LoopTimes:
    """Return the times of some events.

    Args:
        log: ``embedded`` or ``kafka``.
        events: how many to measure.
        background_per_s: events of other visitors meanwhile.
        home: an empty directory for everything that the processes keep.
        inherited: the environment that the processes start from.
    """
    with running_loop(log, home, inherited) as running:
        return asyncio.run(_measure(running.origin_url, events, background_per_s))


@dataclass(frozen=True, slots=True)
class RunningLoop:
    """Where the parts of a running loop answer."""

    origin_url: str
    database_url: str
    kafka: str | None


@contextmanager
def running_loop(log: str, home: Path, inherited: Mapping[str, str]) -> Iterator[RunningLoop]:
    """Yield an origin and its stream processors over a new catalogue, on one of the logs."""
    origin_url = f"http://127.0.0.1:{kafka.free_port()}"
    environment = {
        "ATTUNE_HOME": str(home),
        "ATTUNE_ORIGIN_PORT": origin_url.rpartition(":")[2],
        "KAFKA_BOOTSTRAP_SERVERS": "",
    }
    broker = kafka.Broker(home / "kafka", kafka.free_port())
    try:
        if log == "kafka":
            kafka.start(broker)
            environment["KAFKA_BOOTSTRAP_SERVERS"] = broker.bootstrap_servers
        with (
            running_postgres(home) as database_url,
            Processes(home / "logs", inherited) as processes,
        ):
            asyncio.run(_fill(database_url))
            environment["DATABASE_URL"] = database_url
            processes.start("origin", ["serve"], environment)
            processes.start("consumers", ["consume"], environment)
            processes.wait_until(
                lambda: _is_ready(origin_url), "starting the origin", READY_TIMEOUT_S
            )
            address = environment["KAFKA_BOOTSTRAP_SERVERS"] or None
            yield RunningLoop(origin_url, database_url, address)
    finally:
        kafka.stop(broker)


async def _fill(database_url: str) -> None:
    """Make a catalogue of items with random embeddings."""
    await migrate(database_url)
    vectors = np.random.default_rng(1).normal(size=(ITEMS, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items = [
        Item(item_id=f"item-{number}", title=f"Item {number}", category=f"c-{number % CATEGORIES}")
        for number in range(ITEMS)
    ]
    async with connection_pool(database_url, 1) as pool:
        store = PostgresStore(pool)
        await store.put_items(items, _now_ms())
        embeddings = {item.item_id: vectors[place] for place, item in enumerate(items)}
        await store.put_embeddings("bench", embeddings)


def _is_ready(origin_url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(origin_url + "/readyz", timeout=2.0).status_code == 200
    return False


async def _measure(origin_url: str, events: int, background_per_s: int) -> LoopTimes:
    times = LoopTimes()
    async with (
        httpx.AsyncClient(base_url=origin_url, timeout=10.0) as client,
        _background(client, background_per_s),
    ):
        rng = random.Random(2)  # noqa: S311 - traffic, not secrets
        # The first answers compile statements and fill caches: they are no part of the figures.
        for number in range(-WARM_UP_EVENTS, events):
            await _one_event(client, f"visitor-{number % USERS}", rng, times, number >= 0)
    return times


async def _one_event(
    client: httpx.AsyncClient, user_id: str, rng: random.Random, times: LoopTimes, counts: bool
) -> None:
    before = await asked_bundle(client, user_id)
    item_id = rng.choice(before.candidates.item_ids[:10])
    started = time.perf_counter()
    act, occurred_at_ms = purchase(user_id, item_id), _now_ms()
    await post(client, [act | {"occurred_at_ms": occurred_at_ms}])
    accepted = time.perf_counter()
    questions = 1
    while (await asked_bundle(client, user_id)).covers_until_ms < occurred_at_ms:
        questions += 1
        if time.perf_counter() - started > VISIBLE_TIMEOUT_S:
            times.missed += 1
            return
        await asyncio.sleep(QUESTION_PAUSE_S)
    # The bundle has learned of the purchase; now the slate has to show it.
    asked = time.perf_counter()
    slate = await _slate_item_ids(client, user_id)
    visible = time.perf_counter()
    if item_id in slate:
        times.missed += 1
    elif counts:
        times.accepted_ms.append((accepted - started) * 1000)
        times.question_ms.append((asked - accepted) * 1000 / questions)
        times.visible_ms.append((visible - started) * 1000)


async def asked_bundle(client: httpx.AsyncClient, user_id: str) -> Bundle:
    """Return the user's bundle as the origin has it now."""
    return read_bundle(await asked_raw_bundle(client, user_id))


async def asked_raw_bundle(client: httpx.AsyncClient, user_id: str) -> object:
    """Return it as plain values: reading it as a bundle costs the one that asks 10 ms."""
    request = BundleRequest(Consent.FULL, user_id, "home", Context(), CANDIDATES)
    answer = await client.post(
        "/v1/bundle",
        content=packed(pack_bundle_request(request)),
        headers={"content-type": "application/msgpack"},
    )
    answer.raise_for_status()
    return unpacked(answer.content)


async def _slate_item_ids(client: httpx.AsyncClient, user_id: str) -> set[str]:
    """Return what a session that has seen nothing yet is offered."""
    request = {"consent": "full", "user_id": user_id, "session_id": uuid.uuid4().hex, "n": 50}
    answer = await client.post("/v1/recommendations", json=request)
    answer.raise_for_status()
    return {item["item_id"] for item in answer.json()["items"]}


async def post(client: httpx.AsyncClient, events: list[Mapping[str, object]]) -> None:
    """Post the events; return when they are accepted."""
    answer = await client.post("/v1/events", json={"events": events})
    answer.raise_for_status()


def purchase(user_id: str, item_id: str) -> dict[str, object]:
    """Return an event."""
    return {
        "type": "purchase",
        "event_id": uuid.uuid4().hex,
        "consent": "full",
        "user_id": user_id,
        "session_id": uuid.uuid4().hex,
        "item_id": item_id,
        "occurred_at_ms": _now_ms(),
    }


@asynccontextmanager
async def _background(client: httpx.AsyncClient, per_s: int) -> AsyncIterator[None]:
    """Have other visitors act meanwhile."""
    if per_s == 0:
        yield
        return
    acting = asyncio.create_task(_act(client, per_s))
    try:
        yield
    finally:
        acting.cancel()


async def _act(client: httpx.AsyncClient, per_s: int) -> None:
    rng = random.Random(3)  # noqa: S311
    due_s = time.perf_counter()
    while True:
        batch = [
            purchase(f"other-{rng.randrange(5_000)}", f"item-{rng.randrange(ITEMS)}")
            for _ in range(min(BACKGROUND_BATCH, per_s))
        ]
        await post(client, list(batch))
        due_s += len(batch) / per_s
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
