"""How fresh answers are under load: event posted -> visible in the next bundle of its user.

Real processes on a real Apache Kafka (``origin.bench.loop``), with the events of others coming at a
steady rate. A probe posts one event of a visitor over HTTP and asks for that visitor's bundle until
the embedding in it has seen the event. The clock runs from before the post until the bundle is
there: the way through origin, Kafka, stream processors and PostgreSQL and back.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from attune.contract.decode import Fields
from origin.bench.background import background
from origin.bench.loop import ITEMS, asked_raw_bundle, post, purchase, running_loop
from origin.event_log import EVENTS, open_event_log

PROBES_WARM_UP = 20
USERS = 50
VISIBLE_TIMEOUT_S = 60.0
"""Later than this nobody would call it streaming; the probe counts as missed."""
QUESTION_PAUSE_S = 0.01
SETTLE_S = 5.0
"""From the start of the load to the first probe: its process starts, batches grow."""


@dataclass(slots=True)
class Freshness:
    """What was measured at one rate of other events."""

    wanted_per_s: int
    appended_per_s: float = 0.0
    """What really came, probes included."""
    visible_ms: list[float] = field(default_factory=list[float])
    accepted_ms: list[float] = field(default_factory=list[float])
    missed: int = 0
    behind: int = 0
    """Records that were still to be read at the end: at most some hundred unless it is too much."""


def measured_freshness(
    rates: Sequence[int], probes: int, home: Path, inherited: Mapping[str, str]
) -> list[Freshness]:
    """Return the figures at each rate, one after the other, in one running product."""
    found: list[Freshness] = []
    with running_loop("kafka", home, inherited) as running:
        assert running.kafka is not None
        for rate in rates:
            with background(running.kafka, rate, ITEMS):
                time.sleep(SETTLE_S)
                found.append(asyncio.run(_measure(running.origin_url, running.kafka, rate, probes)))
    return found


async def _measure(origin_url: str, kafka: str, rate: int, probes: int) -> Freshness:
    found = Freshness(rate)
    rng = random.Random(5)  # noqa: S311 - traffic, not secrets
    async with (
        httpx.AsyncClient(base_url=origin_url, timeout=VISIBLE_TIMEOUT_S) as client,
        await open_event_log("", kafka) as log,
    ):
        for number in range(PROBES_WARM_UP):
            await _probe(client, f"visitor-{number % USERS}", rng, Freshness(rate))
        started_s, before = time.perf_counter(), sum((await log.end_offsets(EVENTS)).values())
        for number in range(probes):
            await _probe(client, f"visitor-{number % USERS}", rng, found)
        end = sum((await log.end_offsets(EVENTS)).values())
        found.appended_per_s = round((end - before) / (time.perf_counter() - started_s), 1)
        overview = Fields((await client.get("/v1/ops/overview")).json())
        found.behind = overview.nested("lag", _learnings_lag, 0)
    return found


def _learnings_lag(raw: object) -> int:
    """Return how many records the group that learns from events has still to read."""
    return Fields(raw).integer("learning", 0, 2**53, default=0)


async def _probe(
    client: httpx.AsyncClient, user_id: str, rng: random.Random, found: Freshness
) -> None:
    """Post one event and wait until its user's bundle has seen it."""
    occurred_at_ms = time.time_ns() // 1_000_000
    act = purchase(user_id, f"item-{rng.randrange(ITEMS)}") | {"occurred_at_ms": occurred_at_ms}
    started_s = time.perf_counter()
    await post(client, [act])
    accepted_s = time.perf_counter()
    while await _covers_until_ms(client, user_id) < occurred_at_ms:
        if time.perf_counter() - started_s > VISIBLE_TIMEOUT_S:
            found.missed += 1
            return
        await asyncio.sleep(QUESTION_PAUSE_S)
    found.accepted_ms.append((accepted_s - started_s) * 1000)
    found.visible_ms.append((time.perf_counter() - started_s) * 1000)


async def _covers_until_ms(client: httpx.AsyncClient, user_id: str) -> int:
    """Return when the latest event happened that the user's bundle has seen."""
    return Fields(await asked_raw_bundle(client, user_id)).time_ms("covers_until_ms", default=0)
