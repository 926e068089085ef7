"""An edge in real workerd before an origin whose failures a test chooses."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from origin.edge_server import running_edge
from tests.integration.edge.stand_in_origin import Behaviour, stand_in_origin


@dataclass
class Stand:
    """The edge as a browser sees it, and the origin behind it."""

    client: httpx.Client
    origin: Behaviour

    def slate(self, headers: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        """Return the answer to a good request with these changes."""
        body = {"consent": "full", "user_id": "u1", "session_id": "s1", "surface": "home", "n": 6}
        answer = self.client.post(
            "/v1/recommendations", json={**body, **changes}, headers=headers or {}
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def status(self) -> dict[str, Any]:
        """Return the edge's counters."""
        return dict(self.client.get("/v1/edge/status").json())

    def wait_until(self, reached: Callable[[], bool], deadline_s: float = 5.0) -> None:
        """Return when ``reached()``; fail past the deadline."""
        deadline = time.monotonic() + deadline_s
        while not reached():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.02)


@contextmanager
def running_stand(**settings: str) -> Iterator[Stand]:
    """Yield a fresh edge with these settings before a fresh origin."""
    with (
        stand_in_origin() as (origin_url, origin),
        running_edge(origin_url, free_port(), settings=settings) as edge,
        httpx.Client(base_url=edge.url, timeout=20.0) as client,
    ):
        yield Stand(client, origin)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def stand() -> Iterator[Stand]:
    """Yield an edge for one test."""
    with running_stand() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def running() -> Iterator[Stand]:
    """Yield an edge for all tests of a file, for those that leave no trace."""
    with running_stand() as kept:
        yield kept
