"""How long a fresh edge process takes to its first answer, beside one that needs no Python.

Each run starts workerd with the built workers and asks for a slate as soon as the socket answers.
The other worker has the same modules (wasm, snapshot, glue, the scorer beside it) and answers JSON
from JavaScript alone, so the difference is the interpreter: its instance, its memory, the first
slate. The two take turns, so that a machine that is busy for a while is busy for both.
"""

from __future__ import annotations

import gzip
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from origin.bench.processor_time import seconds_of
from origin.bench.stand_in import stand_in_origin
from origin.child_process import started, stop
from origin.edge_server import CONFIG, EdgeError, serve_arguments

RUNS = 15
DEADLINE_S = 20.0
POLL_S = 0.001

FRONT_DOOR = '(name = "worker.js", esModule = embed "python/worker.js")'
BARE = '(name = "bare.js", esModule = embed "bare.js"), '

QUESTION = {
    "consent": "full",
    "user_id": "visitor",
    "session_id": "session",
    "surface": "home",
    "n": 12,
}


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Milliseconds from starting the process to the first answer, and what is deployed."""

    ours_ms: tuple[float, ...]
    javascript_ms: tuple[float, ...]
    ours_cpu_ms: tuple[float, ...]
    """Processor time of the process until then: other work on the machine hardly changes it."""
    javascript_cpu_ms: tuple[float, ...]
    python_worker_gz_bytes: int
    scorer_worker_gz_bytes: int
    resident_bytes: int
    """The whole process after its first answer: both isolates and workerd itself."""

    def figures(self) -> dict[str, float | int]:
        """Return the figures as the benchmark shows them."""
        ours, javascript = statistics.median(self.ours_ms), statistics.median(self.javascript_ms)
        return {
            "runs": len(self.ours_ms),
            "min_ms": round(min(self.ours_ms), 1),
            "p50_ms": round(ours, 1),
            "cpu_min_ms": round(min(self.ours_cpu_ms), 1),
            "javascript_min_ms": round(min(self.javascript_ms), 1),
            "javascript_p50_ms": round(javascript, 1),
            "javascript_cpu_min_ms": round(min(self.javascript_cpu_ms), 1),
            "ratio_min": round(min(self.ours_ms) / min(self.javascript_ms), 3),
            "ratio_p50": round(ours / javascript, 3),
            "ratio_cpu": round(min(self.ours_cpu_ms) / min(self.javascript_cpu_ms), 3),
            "python_worker_gz_bytes": self.python_worker_gz_bytes,
            "scorer_worker_gz_bytes": self.scorer_worker_gz_bytes,
            "resident_bytes": self.resident_bytes,
        }


def measured_cold_start(
    runs: int = RUNS, tell: Callable[[int], None] = lambda _: None
) -> ColdStart:
    """Return the times of some starts of each kind; ``tell`` hears how many are done."""
    ours: list[Start] = []
    javascript: list[Start] = []
    with tempfile.TemporaryDirectory(prefix="attune-bench-") as folder, stand_in_origin() as origin:
        bare = _javascript_only(Path(folder))
        for run in range(runs + 1):
            ours.append(_first_answer(CONFIG, origin, Path(folder)))
            javascript.append(_first_answer(bare, origin, Path(folder)))
            tell(run)
    # The first run of each fills the machine's file cache.
    del ours[0], javascript[0]
    return ColdStart(
        tuple(start.took_ms for start in ours),
        tuple(start.took_ms for start in javascript),
        tuple(start.cpu_ms for start in ours),
        tuple(start.cpu_ms for start in javascript),
        gz_bytes(CONFIG.parent / "python"),
        gz_bytes(CONFIG.parent / "scorer"),
        max(start.resident_bytes for start in ours),
    )


@dataclass(frozen=True, slots=True)
class Start:
    """One start: until the first answer, and what it took of the machine."""

    took_ms: float
    cpu_ms: float
    resident_bytes: int


def gz_bytes(folder: Path) -> int:
    """Return what a worker's files weigh compressed."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in folder.iterdir())


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise EdgeError(f"process {pid} has no resident memory")


def _javascript_only(folder: Path) -> Path:
    """Return a configuration whose front door answers without Python."""
    production = CONFIG.read_text()
    if FRONT_DOOR not in production:
        raise EdgeError(f"{CONFIG} names its front door differently")
    config = folder / "javascript.capnp"
    config.write_text(production.replace(FRONT_DOOR, BARE + FRONT_DOOR))
    (folder / "bare.js").write_bytes(Path(__file__).with_suffix(".js").read_bytes())
    for part in ("python", "scorer", "local"):
        (folder / part).symlink_to(CONFIG.parent / part)
    return config


def _first_answer(config: Path, origin_url: str, store: Path) -> Start:
    """Return a start of these workers."""
    port = free_port()
    began = time.perf_counter()
    arguments = serve_arguments(config, "127.0.0.1", port, store)
    process = started(arguments, {"ATTUNE_ORIGIN_URL": origin_url})
    try:
        _wait_for_port(port, began + DEADLINE_S)
        answer = httpx.post(
            f"http://127.0.0.1:{port}/v1/recommendations", json=QUESTION, timeout=DEADLINE_S
        )
        took = time.perf_counter() - began
        answer.raise_for_status()
        cpu_ms = seconds_of([process.pid]) * 1000
        return Start(took * 1000, cpu_ms, resident_bytes(process.pid))
    finally:
        stop(process)


def _wait_for_port(port: int, deadline: float) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return
        except OSError:
            if time.perf_counter() > deadline:
                raise EdgeError(f"workerd did not listen within {DEADLINE_S:g} s") from None
            time.sleep(POLL_S)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
