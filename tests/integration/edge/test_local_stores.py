"""Plain workerd has a real store behind its KV binding: what is in it outlives the process."""

import time
from pathlib import Path

import httpx
import pytest

from origin.edge_server import running_edge
from tests.integration.edge.conftest import Stand, free_port
from tests.integration.edge.stand_in_origin import stand_in_origin


def files(store: Path) -> list[Path]:
    """Return what has been written completely."""
    return [path for path in store.iterdir() if path.name.isdecimal()]


def test_a_bundle_outlives_the_process_in_the_key_value_store(tmp_path: Path) -> None:
    with stand_in_origin() as (origin_url, origin):
        with (
            running_edge(origin_url, free_port(), store=tmp_path) as edge,
            httpx.Client(base_url=edge.url, timeout=20.0) as client,
        ):
            stand = Stand(client, origin)
            stand.slate()
            # The visitor's bundle and the popular one.
            stand.wait_until(lambda: len(files(tmp_path)) == 2)
        origin.status = 500
        with (
            running_edge(origin_url, free_port(), store=tmp_path) as edge,
            httpx.Client(base_url=edge.url, timeout=20.0) as client,
        ):
            stand = Stand(client, origin)
            again = stand.slate()
            assert again["degraded"] in ("full", "stale")
            assert len(again["items"]) == 6
            assert stand.status()["tiers"] == {"kv": 1}


@pytest.mark.parametrize("damage", ["emptied", "cut off", "somebody else's", "expired"])
def test_a_file_that_is_not_the_key_s_value_is_no_value(damage: str, tmp_path: Path) -> None:
    with stand_in_origin() as (origin_url, origin):
        with (
            running_edge(origin_url, free_port(), store=tmp_path) as edge,
            httpx.Client(base_url=edge.url, timeout=20.0) as client,
        ):
            stand = Stand(client, origin)
            stand.slate()
            stand.wait_until(lambda: len(files(tmp_path)) == 2)
        for path in files(tmp_path):
            head, _, value = path.read_bytes().partition(b"\n")
            now_ms = int(time.time() * 1000)
            changed = {
                "emptied": b"",
                "cut off": head[:10],
                "somebody else's": head.replace(b'"key":"', b'"key":"x') + b"\n" + value,
                "expired": b'{"key":"%s","expires_ms":%d}\n' % (head[8:72], now_ms - 1) + value,
            }
            path.write_bytes(changed[damage])
        with (
            running_edge(origin_url, free_port(), store=tmp_path) as edge,
            httpx.Client(base_url=edge.url, timeout=20.0) as client,
        ):
            stand = Stand(client, origin)
            assert len(stand.slate()["items"]) == 6
            assert stand.status()["tiers"] == {"origin": 1}
