"""The running stack: database, data, origin, stream processors and edge, started in order."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from origin.demo.processes import ProcessError, Processes
from origin.settings import Settings
from origin.storage.database import connection_pool, migrate
from origin.storage.embedded_postgres import postgres_at
from origin.storage.postgres import PostgresStore

READY_SECONDS = 60.0
LOAD_SECONDS = 600.0

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the two HTTP tiers listen."""

    edge: int
    origin: int


@dataclass(frozen=True, slots=True)
class Stack:
    """What is running."""

    processes: Processes
    edge_url: str
    origin_url: str
    database_url: str
    was_loaded: bool


@contextmanager
def running_stack(
    home: Path, ports: Ports, data: str, inherited: Mapping[str, str], step: Step
) -> Iterator[Stack]:
    """Yield the stack when it is healthy; stop all of it afterwards.

    Args:
        home: where data and logs lie.
        ports: where the tiers listen.
        data: the data set to load on a first start, or "auto".
        inherited: the environment that the processes start from.
        step: is told what happens now.

    Raises:
        ProcessError: when a part does not come up, with the end of its log.
    """
    settings = Settings.read(inherited)
    origin_url = f"http://127.0.0.1:{ports.origin}"
    edge_url = f"http://127.0.0.1:{ports.edge}"
    for url in (origin_url, edge_url):
        if _answers(url + "/healthz"):
            raise ProcessError(f"something else already answers at {url}; choose another port")
    step("Starting PostgreSQL")
    with (
        postgres_at(settings.database_url, home) as database_url,
        Processes(home / "logs", inherited) as all_,
    ):
        environment = {
            "DATABASE_URL": database_url,
            "ATTUNE_HOME": str(home.resolve()),
            "ATTUNE_ORIGIN_PORT": str(ports.origin),
            "ATTUNE_ORIGIN_URL": origin_url,
            "ATTUNE_EDGE_PORT": str(ports.edge),
            "ATTUNE_WRITE_KEYS": inherited.get("ATTUNE_WRITE_KEYS", "demo=full"),
        }
        was_loaded = asyncio.run(_holds_items(database_url))
        if not was_loaded:
            step("Loading the data set (first start only)")
            _load(data, {**inherited, **environment})
        step("Starting the origin, the stream processors and the edge")
        all_.start("origin", ["serve"], environment)
        all_.start("consumers", ["consume"], environment)
        all_.start("edge", ["edge"], environment)
        all_.wait_until(lambda: _answers(origin_url + "/readyz"), "the origin", READY_SECONDS)
        all_.wait_until(lambda: _answers(edge_url + "/healthz"), "the edge", READY_SECONDS)
        step("Everything is healthy")
        try:
            yield Stack(all_, edge_url, origin_url, database_url, was_loaded)
        finally:
            step("Stopping")


async def _holds_items(database_url: str) -> bool:
    await migrate(database_url)
    async with connection_pool(database_url, connections_max=2) as pool:
        return bool(await PostgresStore(pool).items_after("", 1))


def _load(data: str, environment: dict[str, str]) -> None:
    """Load the chosen data set, or the first of the two that is to be had."""
    names = ["movietweetings", "storefront"] if data == "auto" else [data]
    for name in names:
        if _run_dataset(name, environment) == 0:
            return
    raise ProcessError(f"the data set {names[-1]} could not be loaded")


def _run_dataset(name: str, environment: dict[str, str]) -> int:
    done = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "origin.commands", "dataset", name],
        env=environment,
        stdout=sys.stderr,
        stdin=subprocess.DEVNULL,
        timeout=LOAD_SECONDS,
        check=False,
    )
    return done.returncode


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1.0).status_code == 200
    except httpx.HTTPError:
        return False
