"""The built edge workers in workerd on this machine."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from origin.child_process import started, stop

ROOT = Path(__file__).parents[1]
WORKERD = ROOT / "node_modules" / ".bin" / "workerd"
CONFIG = ROOT / "wasm" / "dist" / "workerd.capnp"
SITE = ROOT / "web"

READY_SECONDS = 20.0
"""workerd listens within half a second; a busy machine may need more."""


class EdgeError(Exception):
    """The edge workers are not built, or do not come up."""


@dataclass(frozen=True, slots=True)
class EdgeServer:
    """Where the edge listens and which process it is."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def running_edge(
    origin_url: str,
    port: int,
    host: str = "127.0.0.1",
    config: Path = CONFIG,
    path: str = "/healthz",
    settings: Mapping[str, str] | None = None,
    store: Path | None = None,
) -> Iterator[EdgeServer]:
    """Yield the edge once it answers; stop it afterwards.

    Args:
        origin_url: where the origin answers, now or later.
        port: to listen on.
        host: address to bind.
        config: the workers to run.
        settings: the edge's variables.
        store: folder for what outlives the process; none lets nothing outlive it.

    Raises:
        EdgeError: saying what is missing.
    """
    for needed, remedy in ((WORKERD, "npm ci"), (config, "scripts/build_edge")):
        if not needed.exists():
            raise EdgeError(f"{needed} is missing: run {remedy} first")
    with ExitStack() as stack:
        if store is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="attune-edge-"))
            store = Path(folder)
        environment = {**(settings or {}), "ATTUNE_ORIGIN_URL": origin_url}
        process = started(serve_arguments(config, host, port, store), environment)
        stack.callback(stop, process)
        reachable = "127.0.0.1" if host in ("0.0.0.0", "") else host  # noqa: S104 - a comparison
        server = EdgeServer(f"http://{reachable}:{port}", process)
        _wait_until(lambda: _answers(server), READY_SECONDS)
        yield server


def serve_arguments(config: Path, host: str, port: int, store: Path) -> list[str]:
    """Return workerd's command line."""
    return [
        *(str(WORKERD), "serve", str(config), "--socket-addr", f"http={host}:{port}"),
        *("--directory-path", f"site={SITE}", "--directory-path", f"store={store}"),
    ]


def _answers(server: EdgeServer) -> bool:
    if server.process.poll() is not None:
        raise EdgeError(f"workerd ended with status {server.process.returncode}")
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(server.url + "/healthz", timeout=2.0).status_code == 200
    return False


def _wait_until(ready: Callable[[], bool], deadline_seconds: float) -> None:
    deadline = time.monotonic() + deadline_seconds
    while not ready():
        if time.monotonic() > deadline:
            raise EdgeError(f"the edge did not answer within {deadline_seconds:g} s")
        time.sleep(0.05)
