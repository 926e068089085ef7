"""What happens when the Python interpreter dies."""

from pathlib import Path

import httpx
import msgpack

from origin.edge_server import running_edge
from tests.integration.edge.conftest import Stand, free_port
from tests.integration.edge.stand_in_origin import stand_in_origin
from tests.parity.front_door import front_door_config


def test_a_dead_interpreter_is_replaced_by_the_next_request(tmp_path: Path) -> None:
    with (
        stand_in_origin() as (origin_url, origin),
        running_edge(origin_url, free_port(), config=front_door_config(tmp_path)) as edge,
        httpx.Client(base_url=edge.url, timeout=20.0) as client,
    ):
        stand = Stand(client, origin)
        before = stand.slate()
        died = client.post("/phases", content=msgpack.packb(["die"]))
        assert "provoked by a test" in died.text
        after = stand.slate()
        assert len(before["items"]) == len(after["items"]) == 6
        assert stand.status()["boots"] == 2
        # The memory is new, the bundle comes from the cache.
        assert stand.status()["tiers"] == {"cache": 1}


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
        client.post("/phases", content=msgpack.packb(["die"]))
        origin.status = 500
        newcomer = stand.slate(user_id="newcomer")
        assert newcomer["degraded"] == "popular"
        assert len(newcomer["items"]) == 6
