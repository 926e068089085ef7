"""Fixtures for all tests: a real PostgreSQL, with a database per module, and a real Kafka."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import settings

# The same examples in every run: a test that fails on one machine fails on all.
settings.register_profile("attune", derandomize=True, deadline=None)
settings.load_profile("attune")

DATABASES = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Yield the URL of an embedded PostgreSQL that lives as long as the test run."""
    from origin.storage.embedded_postgres import running_postgres

    with _open_directory() as directory, running_postgres(directory) as url:
        yield url


@pytest.fixture
def home() -> Iterator[Path]:
    """Yield an empty directory in which an embedded PostgreSQL may keep its data."""
    with _open_directory() as directory:
        yield directory


@contextmanager
def _open_directory() -> Iterator[Path]:
    """Yield a directory outside pytest's own.

    Started by root, the server runs as another user, who must be able to get there; but every new
    pytest closes the directory of all pytests to everyone else.
    """
    with TemporaryDirectory(prefix="attune-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def empty_postgres_url(postgres_server: str) -> str:
    """Return the URL of a database in which nothing was created yet."""
    return _new_database(postgres_server)


@pytest.fixture(scope="module")
def postgres_url(empty_postgres_url: str) -> str:
    """Return the URL of a database that has every migration and no row."""
    from origin.storage.database import migrate

    _completed(migrate(empty_postgres_url))
    return empty_postgres_url


@pytest.fixture
def new_postgres_url(postgres_server: str) -> str:
    """Return the URL of a database like that, which this test has to itself."""
    from origin.storage.database import migrate

    url = _new_database(postgres_server)
    _completed(migrate(url))
    return url


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a real Apache Kafka that lives as long as the test run."""
    from origin.event_log.broker import process

    broker = process.Broker(tmp_path_factory.mktemp("kafka"), process.free_port())
    try:
        process.start(broker)
        yield broker.bootstrap_servers
    finally:
        process.stop(broker)


def _new_database(server: str) -> str:
    name = f"test_{next(DATABASES)}"
    _completed(_create_database(server, name))
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def _completed(work: Coroutine[object, object, object]) -> None:
    """Run it in a loop of its own: the test that asks may be inside a running one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def _create_database(server: str, name: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
