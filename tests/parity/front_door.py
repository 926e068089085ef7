"""The built worker with a front door to its single phases, which production does not have."""

from pathlib import Path

import httpx
import msgpack

from origin.edge_server import CONFIG, ROOT

DIST = CONFIG.parent


class Worker:
    """The phases inside workerd, called over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def call(self, phase: str, *values: object) -> bytes:
        """Return what the phase returns."""
        answer = self._client.post("/phases", content=msgpack.packb([phase, *values]))
        assert answer.status_code == 200, answer.text
        return answer.content


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
