"""What one answer costs at the edge: a slate from a bundle in memory beside JavaScript's answer.

One workerd with the built workers and a door more (edge.js). Visitors with bundles of 64 or 200
candidates ask for slates of twelve, each time with other recent interactions; the bare answer is as
long, and made without Python. The three take turns, and the processor time is the process's own,
from /proc: the client's does not count. Stages are run in loops inside, because a worker's clock
ticks in milliseconds.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attune.contract.event import ACTIONS
from origin.bench.edge_cold import FRONT_DOOR, gz_bytes, resident_bytes
from origin.bench.http_load import load, post
from origin.bench.processor_time import seconds_of
from origin.bench.stand_in import stand_in_origin
from origin.edge_server import CONFIG, EdgeError, running_edge
from origin.event_log.broker.process import free_port

SIZES = {"hit_64": 64, "hit_200": 200}
"""Candidates of a bundle, by the surface that it is for."""

VISITORS = 20
BODIES = 200
WARM_UP = 1_000
"""By then the engine has compiled the interpreter's large functions; until then its compiler, on
threads of its own, takes more of the processor than the answers."""
ROUNDS = 4
CONNECTIONS = 8
STAGES = ("read", "begin", "score", "finish")
STAGE_LOOPS = 300
SESSION_AGE_MS = 120_000
"""Recent enough to move the user, too old for a bundle to be fetched anew because of it."""


@dataclass(slots=True)
class Cost:
    """What the answers of one kind took, one after the other and eight at a time."""

    took_ms: list[float] = field(default_factory=list[float])
    cpu_ms: list[float] = field(default_factory=list[float])
    busy_cpu_ms: list[float] = field(default_factory=list[float])
    per_s: list[float] = field(default_factory=list[float])

    def figures(self) -> dict[str, float]:
        """Return the figures as the benchmark shows them."""
        took = sorted(self.took_ms)
        return {
            "min_ms": round(took[0], 3),
            "p50_ms": round(took[len(took) // 2], 3),
            "p99_ms": round(took[len(took) * 99 // 100], 3),
            "cpu_ms": round(min(self.cpu_ms), 3),
            "busy_cpu_ms": round(min(self.busy_cpu_ms), 3),
            "requests_per_s": round(max(self.per_s)),
        }


@dataclass(frozen=True, slots=True)
class EdgeCosts:
    """The costs by kind of answer, the processor microseconds of each stage, what it weighs."""

    costs: dict[str, Cost]
    stages_us: dict[str, dict[str, float]]
    resident_bytes: int
    python_worker_gz_bytes: int
    scorer_worker_gz_bytes: int

    def figures(self) -> dict[str, object]:
        """Return the figures as the benchmark shows them."""
        kinds = {name: cost.figures() for name, cost in self.costs.items()}
        bare = kinds["bare_javascript"]
        ratios = {
            name: {figure: round(kind[figure] / bare[figure], 2) for figure in RATIOS}
            for name, kind in kinds.items()
            if kind is not bare
        }
        return {
            **kinds,
            "ratio_to_bare_javascript": ratios,
            "stages_cpu_us": self.stages_us,
            "resident_bytes": self.resident_bytes,
            "python_worker_gz_bytes": self.python_worker_gz_bytes,
            "scorer_worker_gz_bytes": self.scorer_worker_gz_bytes,
        }


RATIOS = ("min_ms", "p50_ms", "cpu_ms")


def measured_edge(requests: int, tell: Callable[[int], None] = lambda _: None) -> EdgeCosts:
    """Return what ``requests`` answers of each kind cost; ``tell`` hears how many rounds are done.

    Raises:
        EdgeError: when the workers are not built, or one does not answer.
    """
    with (
        tempfile.TemporaryDirectory(prefix="attune-bench-") as folder,
        stand_in_origin(by_surface=SIZES) as origin,
        running_edge(origin, free_port(), config=_with_doors(Path(folder))) as server,
    ):
        port, pid = int(server.url.rpartition(":")[2]), server.process.pid
        kinds = {"bare_javascript": [post("/bench/bare", body) for body in _bodies("hit_64")]}
        kinds |= {
            name: [post("/v1/recommendations", body) for body in _bodies(name)] for name in SIZES
        }
        costs = {name: Cost() for name in kinds}
        for wire in kinds.values():
            load(port, wire, WARM_UP, CONNECTIONS)
        for done in range(ROUNDS):
            for name, wire in kinds.items():
                _add(costs[name], port, pid, wire, max(requests // ROUNDS, 1))
            tell(done + 1)
        memory = resident_bytes(pid)
        stages = {name: _stages(port, pid, name) for name in SIZES}
    return EdgeCosts(
        costs,
        stages,
        memory,
        gz_bytes(CONFIG.parent / "python"),
        gz_bytes(CONFIG.parent / "scorer"),
    )


def _add(cost: Cost, port: int, pid: int, wire: Sequence[bytes], count: int) -> None:
    before = seconds_of([pid])
    cost.took_ms += load(port, wire, count, 1)
    cost.cpu_ms.append((seconds_of([pid]) - before) * 1000 / count)
    before, began = seconds_of([pid]), time.perf_counter()
    load(port, wire, count, CONNECTIONS)
    cost.per_s.append(count / (time.perf_counter() - began))
    cost.busy_cpu_ms.append((seconds_of([pid]) - before) * 1000 / count)


def _stages(port: int, pid: int, surface: str) -> dict[str, float]:
    """Return the processor microseconds of each stage, run in a loop inside the worker."""
    bodies = _bodies(surface)[:ROUNDS]
    found: dict[str, float] = {}
    for stage in STAGES:
        wire = [post(f"/bench/{stage}?loops={STAGE_LOOPS}", body) for body in bodies]
        load(port, wire, 1, 1)
        costs: list[float] = []
        for request in wire:
            before = seconds_of([pid])
            load(port, [request], 1, 1)
            costs.append((seconds_of([pid]) - before) * 1e6 / STAGE_LOOPS)
        found[stage] = round(min(costs), 1)
    return found


def _bodies(surface: str) -> list[bytes]:
    """Return requests of some visitors in the middle of their sessions."""
    rng = random.Random(surface)  # noqa: S311 - traffic, not secrets
    occurred_at_ms = int(time.time() * 1000) - SESSION_AGE_MS
    bodies: list[bytes] = []
    for _ in range(BODIES):
        recent = [
            {
                "item_id": f"item-{rng.randrange(SIZES[surface]):04d}",
                "action": rng.choice(ACTIONS),
                "occurred_at_ms": occurred_at_ms - 1_000 * place,
            }
            for place in range(rng.randrange(1, 8))
        ]
        question = {
            "schema": 1,
            "consent": "full",
            "user_id": f"visitor-{rng.randrange(VISITORS)}",
            "session_id": "session",
            "surface": surface,
            "n": 12,
            "context": {"device": "mobile", "region": "DE", "local_hour": 20},
            "recent": recent,
        }
        bodies.append(json.dumps(question).encode())
    return bodies


def _with_doors(folder: Path) -> Path:
    """Return the production configuration with the benchmark's doors before the front door."""
    if not CONFIG.exists():
        raise EdgeError(f"{CONFIG} is missing: run scripts/build_edge first")
    production = CONFIG.read_text()
    if FRONT_DOOR not in production:
        raise EdgeError(f"{CONFIG} names its front door differently")
    config = folder / "bench.capnp"
    doors = '(name = "bench.js", esModule = embed "bench.js"), '
    config.write_text(production.replace(FRONT_DOOR, doors + FRONT_DOOR))
    (folder / "bench.js").write_bytes(Path(__file__).with_suffix(".js").read_bytes())
    for part in ("python", "scorer", "local"):
        (folder / part).symlink_to(CONFIG.parent / part)
    return config
