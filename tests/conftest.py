"""Fixtures for all tests: a real PostgreSQL, with a database per module, and a real Kafka."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

DATABASES = count(1)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of an embedded PostgreSQL that lives as long as the test run."""
    from origin.embedded_postgres import running_postgres

    home: Path = tmp_path_factory.mktemp("attune")
    with running_postgres(home) as url:
        yield url


@pytest.fixture(scope="module")
def empty_postgres_url(postgres_server: str) -> str:
    """Return the URL of a database in which nothing was created yet."""
    name = f"test_{next(DATABASES)}"
    asyncio.run(_create_database(postgres_server, name))
    return urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))


@pytest.fixture(scope="module")
def postgres_url(empty_postgres_url: str) -> str:
    """Return the URL of a database that has every migration and no row."""
    from origin.database import migrate

    asyncio.run(migrate(empty_postgres_url))
    return empty_postgres_url


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a real Apache Kafka that lives as long as the test run."""
    from origin.event_log.broker import process

    broker = process.Broker(tmp_path_factory.mktemp("kafka"), _free_port())
    process.start(broker)
    yield broker.bootstrap_servers
    process.stop(broker)


def _free_port() -> int:
    """Return a port whose successor, the controller's, is free as well."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            with suppress(OSError):
                second.bind(("127.0.0.1", port + 1))
                return port


async def _create_database(server: str, name: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
