"""Minutes of steady load on an edge: errors, latency, and whether its memory stays flat.

First the edge is kept as busy as it can be for a while, which says what it is capable of; then it
gets a fixed share of that, at even distances, while the memory of the process is read every second.
A leak shows as a slope: the second half of the readings is fitted with a line, because caches and
compiled code still grow in the first.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from origin.bench.edge_cold import free_port, resident_bytes
from origin.bench.edge_load import Exchange, Traffic, at_capacity, at_rate
from origin.bench.processor_time import seconds_of
from origin.bench.stand_in import stand_in_origin
from origin.edge_server import EdgeServer, running_edge

WARM_UP_S = 5.0
"""Every visitor's bundle is at the edge then, and the scorer has loaded its model."""
CAPACITY_S = 10.0
READING_PAUSE_S = 1.0

SETTINGS = {"ATTUNE_RATE_LIMIT": "0"}
"""All of the load comes from one address."""

Progress = Callable[[int], None]
"""Hears after each reading how many seconds it is worth."""


@dataclass(slots=True)
class Readings:
    """What came back, and the memory meanwhile."""

    took_ms: list[float] = field(default_factory=list[float])
    statuses: Counter[int] = field(default_factory=Counter[int])
    rungs: Counter[str] = field(default_factory=Counter[str])
    empty: int = 0
    resident: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])

    def add(self, exchange: Exchange) -> None:
        """Note one answer."""
        self.took_ms.append(exchange.took_ms)
        self.statuses[exchange.status] += 1
        if exchange.path == "/v1/recommendations" and exchange.status == 200:
            slate = json.loads(exchange.body)
            self.rungs[slate["degraded"]] += 1
            self.empty += not slate["items"]

    @property
    def errors(self) -> int:
        """Answers that no visitor should get: none, 5xx, or a refusal of a good request."""
        return sum(count for status, count in self.statuses.items() if status not in (200, 202))


@dataclass(frozen=True, slots=True)
class Soak:
    """A soak's figures."""

    capacity_per_s: float
    rate_per_s: float
    seconds: float
    readings: Readings
    cpu_ms_per_request: float

    def figures(self) -> dict[str, float | int | dict[str, int]]:
        """Return the figures as the benchmark shows them."""
        readings = self.readings
        held = [held for _, held in readings.resident]
        return {
            "capacity_per_s": round(self.capacity_per_s, 1),
            "rate_per_s": round(self.rate_per_s, 1),
            "seconds": round(self.seconds, 1),
            "requests": len(readings.took_ms),
            "errors": readings.errors,
            "empty_slates": readings.empty,
            "rungs": dict(readings.rungs),
            "p50_ms": percentile(readings.took_ms, 50),
            "p99_ms": percentile(readings.took_ms, 99),
            "max_ms": round(max(readings.took_ms), 2),
            "cpu_ms_per_request": round(self.cpu_ms_per_request, 3),
            "resident_start_bytes": held[0],
            "resident_end_bytes": held[-1],
            "resident_max_bytes": max(held),
            "resident_slope_bytes_per_1000_requests": round(self.slope_bytes()),
        }

    def slope_bytes(self) -> float:
        """Return by how much the memory grew per 1,000 requests in the second half."""
        late = self.readings.resident[len(self.readings.resident) // 2 :]
        if len(late) < 2:
            return 0.0
        seconds, held = zip(*late, strict=True)
        return statistics.linear_regression(seconds, held).slope * 1000 / self.rate_per_s


def percentile(values: list[float], percent: float) -> float:
    """Return the smallest value that ``percent`` of the values do not exceed."""
    ordered = sorted(values)
    return round(ordered[max(0, -(-int(len(ordered) * percent) // 100) - 1)], 2)


def measured_soak(
    minutes: float,
    load: float,
    origin_url: str = "",
    tell: Progress = lambda _: None,
) -> Soak:
    """Return the figures of an edge under load.

    Args:
        minutes: of steady load.
        load: share of the measured capacity, in (0, 1].
        origin_url: a running origin; empty starts one that answers at once.
        tell: hears of every second of load.
    """
    with ExitStack() as stack:
        if not origin_url:
            origin_url = stack.enter_context(stand_in_origin())
        edge = stack.enter_context(running_edge(origin_url, free_port(), settings=SETTINGS))
        return asyncio.run(_soaked(edge, minutes * 60, load, tell))


async def _soaked(edge: EdgeServer, seconds: float, load: float, tell: Progress) -> Soak:
    port, pid = int(edge.url.rpartition(":")[2]), edge.process.pid
    traffic = Traffic()
    await at_capacity(port, traffic, WARM_UP_S, lambda _: None)
    reached = Readings()
    began = time.perf_counter()
    await at_capacity(port, traffic, min(CAPACITY_S, seconds), reached.add)
    capacity = len(reached.took_ms) / (time.perf_counter() - began)
    readings = Readings()
    watching = asyncio.create_task(_watch(pid, readings, tell))
    cpu_before = seconds_of([pid])
    await at_rate(port, traffic, seconds, load * capacity, readings.add)
    cpu_ms = (seconds_of([pid]) - cpu_before) * 1000 / max(1, len(readings.took_ms))
    watching.cancel()
    return Soak(capacity, load * capacity, seconds, readings, cpu_ms)


async def _watch(pid: int, readings: Readings, tell: Progress) -> None:
    began = time.perf_counter()
    while True:
        passed = time.perf_counter() - began
        readings.resident.append((passed, resident_bytes(pid)))
        tell(round(READING_PAUSE_S))
        await asyncio.sleep(READING_PAUSE_S)
