"""How many slates the edge answers without waiting for the origin, and with the origin half dead.

The MovieTweetings stream is replayed as visits, in its order: each rating is a page view with three
requests (the page, the page's continuation, and the page again after the visitor took to the rated
film). The films are the stream's; the visitors are drawn from a Zipf distribution over as many
users as the stream has. The edge is the built worker in workerd with production's limits: memory
bounded by bytes, the Cache API behind it.

Time is compressed by shortening the bundles' lifetimes: at a compression of 10, a freshness of 60
seconds becomes 6, and a second of the run stands for ten of the stream. Nothing else is: the
origin's latency, the edge's deadlines and its pauses between refreshes take their real time, which
is ten times longer in the stream's, so that compression can only make the figures worse.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from attune.contract.event import Interaction
from attune.contract.item import Item
from origin.bench.film_origin import FilmOrigin, Lifetimes
from origin.edge_server import running_edge

FRESH_MS = 60_000
STALE_MS = 24 * 3_600_000
ORIGIN_LATENCY_S = 0.02
"""A bundle of the real origin takes 10 ms, the way to it as long."""

CANDIDATES = 120
SLATE_LENGTH = 12
VISITORS_AT_ONCE = 6
ZIPF_EXPONENT = 1.0
RECENT_MAX = 20
OUTAGES = ("error", "refuse", "hang")

ITEM_ID = re.compile(rb'"item_id":"([^"]+)"')
DEGRADED = re.compile(rb'"degraded":"([a-z]+)"')


Devices = dict[str, deque[dict[str, object]]]
"""The latest interactions that each visitor's device remembers."""


@dataclass(slots=True)
class Replay:
    """What was answered."""

    waited: list[bool] = field(default_factory=list[bool])
    took_ms: list[float] = field(default_factory=list[float])
    statuses: Counter[int] = field(default_factory=Counter[int])
    rungs: Counter[str] = field(default_factory=Counter[str])
    tiers: Counter[str] = field(default_factory=Counter[str])
    empty: int = 0
    seconds: float = 0.0
    bundle_bytes: int = 0

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return len(self.waited)

    def figures(self) -> dict[str, object]:
        """Return the figures as the benchmark shows them."""
        second_half = self.waited[self.requests // 2 :]
        tiers = {name: round(count / self.requests, 4) for name, count in self.tiers.items()}
        return {
            "requests": self.requests,
            "seconds": round(self.seconds, 1),
            "without_waiting": round(1.0 - sum(self.waited) / self.requests, 4),
            "without_waiting_second_half": round(1.0 - sum(second_half) / len(second_half), 4),
            "tiers": dict(sorted(tiers.items())),
            "rungs": dict(self.rungs),
            "empty_slates": self.empty,
            "answers_5xx": sum(count for code, count in self.statuses.items() if code >= 500),
            "answers_4xx": sum(count for code, count in self.statuses.items() if 400 <= code < 500),
            "p50_ms": _percentile(self.took_ms, 50),
            "p99_ms": _percentile(self.took_ms, 99),
            "bundle_bytes": self.bundle_bytes,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What is replayed, and how."""

    films: Sequence[Item]
    events: Sequence[Interaction]
    visits: int
    compression: float
    dead_share: float = 0.0
    dead_for_s: float = 4.0


def replayed(plan: Plan, tell: Callable[[int], None] = lambda _: None) -> Replay:
    """Return what the edge answered; ``tell`` hears how many visits are done."""
    return asyncio.run(_replayed(plan, tell))


async def _replayed(plan: Plan, tell: Callable[[int], None]) -> Replay:
    lifetimes = Lifetimes(
        fresh_ms=int(FRESH_MS / plan.compression), stale_ms=int(STALE_MS / plan.compression)
    )
    origin = FilmOrigin(plan.films, CANDIDATES, lifetimes, ORIGIN_LATENCY_S)
    replay = Replay()
    async with origin.listening() as origin_url, _edge(origin_url) as (url, port):
        started_s = time.monotonic()
        if plan.dead_share > 0.0:
            origin.outage = timetable(started_s, plan.dead_share, plan.dead_for_s)
        visits = enumerate(_visits(plan))
        devices: Devices = {}
        workers = (_visitors(port, visits, devices, replay, tell) for _ in range(VISITORS_AT_ONCE))
        await asyncio.gather(*workers)
        replay.seconds = time.monotonic() - started_s
        async with httpx.AsyncClient(base_url=url) as client:
            status = (await client.get("/v1/edge/status")).json()
        replay.tiers = Counter(status["tiers"])
        replay.bundle_bytes = status["bundle_bytes"]
    return replay


def timetable(started_s: float, dead_share: float, dead_for_s: float) -> Callable[[float], str]:
    """Return the outages: alive first, then dead, in turn; each outage fails in another way.

    >>> wrong = timetable(0.0, dead_share=0.5, dead_for_s=4.0)
    >>> [wrong(second) for second in (0, 3.9, 4, 7.9, 8, 12, 20)]
    ['', '', 'error', 'error', '', 'refuse', 'hang']
    """
    cycle_s = dead_for_s / dead_share

    def wrong(now_s: float) -> str:
        cycle, within = divmod(now_s - started_s, cycle_s)
        return "" if within < cycle_s - dead_for_s else OUTAGES[int(cycle) % len(OUTAGES)]

    return wrong


@asynccontextmanager
async def _edge(origin_url: str) -> AsyncIterator[tuple[str, int]]:
    settings = {"ATTUNE_RATE_LIMIT": "1000000/1000000"}  # all visitors share one address here
    edge = running_edge(origin_url, _free_port(), settings=settings)
    # Its origin is in this process's loop, which must go on meanwhile.
    server = await asyncio.to_thread(edge.__enter__)
    try:
        yield server.url, int(server.url.rpartition(":")[2])
    finally:
        await asyncio.to_thread(edge.__exit__, None, None, None)


@dataclass(frozen=True, slots=True)
class Visit:
    """A page view: who, and which film is taken to."""

    user_id: str
    device: str
    film_id: str


def _visits(plan: Plan) -> Iterator[Visit]:
    users = len({event.user_id for event in plan.events})
    rng = random.Random(20130328)  # noqa: S311 - traffic, no secret
    cumulative = list(itertools.accumulate(1 / rank**ZIPF_EXPONENT for rank in range(1, users + 1)))
    for event in itertools.islice(itertools.cycle(plan.events), plan.visits):
        user = rng.choices(range(users), cum_weights=cumulative)[0]
        device = ("mobile", "desktop")[user % 2]
        yield Visit(f"user-{user}", device, event.item_id)


async def _visitors(
    port: int,
    visits: Iterator[tuple[int, Visit]],
    devices: Devices,
    replay: Replay,
    tell: Callable[[int], None],
) -> None:
    """Take one visit after the other until none is left."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number, visit in visits:
        recent = devices.setdefault(visit.user_id, deque(maxlen=RECENT_MAX))
        page = await _slate(reader, writer, visit, replay, recent=list(recent))
        await _slate(reader, writer, visit, replay, recent=list(recent), after=page)
        now_ms = time.time_ns() // 1_000_000
        recent.append({"item_id": visit.film_id, "action": "click", "occurred_at_ms": now_ms})
        await _slate(reader, writer, visit, replay, recent=list(recent))
        tell(number + 1)
    writer.close()


async def _slate(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    visit: Visit,
    replay: Replay,
    **fields: object,
) -> list[str]:
    """Ask for a slate, note the answer, return its items."""
    body = json.dumps(
        {
            "consent": "full",
            "user_id": visit.user_id,
            "session_id": visit.user_id,
            "surface": "home",
            "n": SLATE_LENGTH,
            "context": {"device": visit.device, "region": "DE"},
            **fields,
        }
    ).encode()
    started = time.perf_counter()
    writer.write(
        b"POST /v1/recommendations HTTP/1.1\r\nhost: edge\r\ncontent-length: %d\r\n\r\n" % len(body)
    )
    writer.write(body)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: (\d+)", head)
    answer = await reader.readexactly(int(length[1])) if length else b""
    replay.took_ms.append((time.perf_counter() - started) * 1000)
    timing = re.search(rb"server-timing: ([^\r]*)", head)
    replay.waited.append(timing is None or b"origin;" in timing[1])
    replay.statuses[int(head[9:12])] += 1
    item_ids = [name.decode() for name in ITEM_ID.findall(answer)]
    replay.empty += not item_ids
    rung = DEGRADED.search(answer)
    replay.rungs[rung[1].decode() if rung else "none"] += 1
    return item_ids


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return round(ordered[-(-len(ordered) * percent // 100) - 1], 2)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
