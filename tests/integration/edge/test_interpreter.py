"""What happens when the Python interpreter dies."""

from pathlib import Path

import httpx
import msgpack

from origin.edge_server import running_edge
from tests.integration.edge.conftest import Stand, free_port
from tests.integration.edge.stand_in_origin import stand_in_origin
from tests.parity.front_door import front_door_config

ABORT = """
import os
import edge_worker.phases as phases
phases.read_arrival = lambda packed: os.abort()
"""
"""From here on the interpreter dies of the next request."""


def test_a_dead_interpreter_costs_one_request_its_rung_and_is_replaced(tmp_path: Path) -> None:
    with (
        stand_in_origin() as (origin_url, origin),
        running_edge(origin_url, free_port(), config=front_door_config(tmp_path)) as edge,
        httpx.Client(base_url=edge.url, timeout=20.0) as client,
    ):
        stand = Stand(client, origin)
        stand.slate(consent="none", user_id=None)
        client.post("/phases", content=msgpack.packb(["run", ABORT])).raise_for_status()
        fatal = stand.slate()
        assert fatal["degraded"] == "static"
        assert fatal["items"]
        after = stand.slate()
        assert after["degraded"] == "full"
        assert len(after["items"]) == 6
        assert stand.status()["boots"] == 2


def test_a_python_error_is_no_death(tmp_path: Path) -> None:
    with (
        stand_in_origin() as (origin_url, origin),
        running_edge(origin_url, free_port(), config=front_door_config(tmp_path)) as edge,
        httpx.Client(base_url=edge.url, timeout=20.0) as client,
    ):
        stand = Stand(client, origin)
        stand.slate()
        failed = client.post("/phases", content=msgpack.packb(["finish", 99, b""]))
        assert "Python raised an error" in failed.text
        assert stand.slate()["degraded"] == "full"
        assert stand.status()["boots"] == 1


def test_without_memory_and_without_origin_the_cache_still_has_the_popular_bundle(
    tmp_path: Path,
) -> None:
    with (
        stand_in_origin() as (origin_url, origin),
        running_edge(origin_url, free_port(), config=front_door_config(tmp_path)) as edge,
        httpx.Client(base_url=edge.url, timeout=20.0) as client,
    ):
        stand = Stand(client, origin)
        stand.slate(consent="none", user_id=None)
        client.post("/phases", content=msgpack.packb(["run", ABORT]))
        assert stand.slate()["degraded"] == "static"
        origin.status = 500
        newcomer = stand.slate(user_id="newcomer")
        assert newcomer["degraded"] == "popular"
        assert len(newcomer["items"]) == 6
