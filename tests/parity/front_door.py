"""The built worker with a front door to its single phases, which production does not have."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import httpx
import msgpack

from origin.edge_server import CONFIG, ROOT

DIST = CONFIG.parent


class Worker:
    """The phases inside workerd, called over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def call(self, phase: str, *values: object) -> bytes:
        """Return what the phase returns, no bytes where that is nothing."""
        return self.calls([(phase, *values)])[0] or b""

    def calls(self, calls: Sequence[tuple[object, ...]]) -> list[bytes | None]:
        """Return what each of some calls of phases returns, one after the other."""
        answer = self._client.post("/calls", content=bytes(msgpack.packb(calls)))
        assert answer.status_code == 200, answer.text
        return cast("list[bytes | None]", msgpack.unpackb(answer.content))


def front_door_config(folder: Path) -> Path:
    """Return the production configuration with a front door to the phases."""
    main = '(name = "worker.js", esModule = embed "python/worker.js")'
    production = CONFIG.read_text()
    assert main in production
    config = folder / "parity.capnp"
    config.write_text(
        production.replace(main, f'(name = "phases.js", esModule = embed "phases.js"), {main}')
    )
    (folder / "phases.js").write_text((ROOT / "tests/parity/phases.js").read_text())
    for part in ("python", "scorer", "local"):
        (folder / part).symlink_to(DIST / part)
    return config
