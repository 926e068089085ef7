"""The interpreter's snapshot: reproducible, verified, and different dice in every isolate."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import httpx
import msgpack
import pytest

from origin.edge_server import CONFIG, ROOT, running_edge
from tests.integration.edge.conftest import Stand, free_port
from tests.integration.edge.stand_in_origin import stand_in_origin
from tests.parity.front_door import front_door_config

SNAPSHOT = CONFIG.parent / "python" / "snapshot.bin"
HEAD = CONFIG.parent / "python" / "snapshot.json"


def test_the_snapshot_is_the_one_that_its_description_names() -> None:
    pages = SNAPSHOT.read_bytes()
    head = json.loads(HEAD.read_text())
    assert hashlib.sha256(pages).hexdigest() == head["sha256"]
    assert len(pages) == 4096 * (len(head["whole"]) + len(head["changed"]))


def test_the_same_inputs_make_the_same_snapshot(tmp_path: Path) -> None:
    for name in ("attune", "edge_worker", "models", "wasm", "package-lock.json"):
        source, copy = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("dist", "__pycache__"))
        else:
            shutil.copyfile(source, copy)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    subprocess.run(
        ["node", tmp_path / "wasm/build_steps/build.mjs"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    again = tmp_path / "wasm/dist/python"
    assert (again / "snapshot.bin").read_bytes() == SNAPSHOT.read_bytes()
    assert (again / "snapshot.json").read_bytes() == HEAD.read_bytes()


@pytest.mark.parametrize("fault", ["changed", "cut off"])
def test_a_damaged_snapshot_is_never_run(fault: str, tmp_path: Path) -> None:
    damaged = tmp_path / "python"
    shutil.copytree(CONFIG.parent, tmp_path, dirs_exist_ok=True)
    pages = bytearray(SNAPSHOT.read_bytes())
    if fault == "changed":
        pages[len(pages) // 2] ^= 1
    else:
        del pages[-4096:]
    (damaged / "snapshot.bin").write_bytes(pages)
    with (
        stand_in_origin() as (origin_url, origin),
        running_edge(origin_url, free_port(), config=tmp_path / "workerd.capnp") as edge,
        httpx.Client(base_url=edge.url, timeout=20.0) as client,
    ):
        slate = Stand(client, origin).slate()
        assert slate["degraded"] == "static"
        assert slate["items"] == []


ROLL = """
import random, types
import edge_worker.phases as phases
phases.json = types.SimpleNamespace(dumps=lambda report: repr(random.random()))
"""
"""From here on the report of the counters is a number drawn from the module's own generator."""


def test_every_isolate_draws_its_own_dice(tmp_path: Path) -> None:
    drawn: list[bytes] = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        with (
            running_edge(
                "http://127.0.0.1:1", free_port(), config=front_door_config(folder)
            ) as edge,
            httpx.Client(base_url=edge.url, timeout=20.0) as client,
        ):
            client.post("/phases", content=msgpack.packb(["run", ROLL])).raise_for_status()
            answer = client.post("/phases", content=msgpack.packb(["status"])).raise_for_status()
            drawn.append(answer.content)
    assert drawn[0] != drawn[1]
    assert 0.0 <= float(drawn[0]) < 1.0
