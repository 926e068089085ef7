"""`attune edge` as people and the demo run it."""

import signal
import subprocess
import sys

import httpx
import pytest

from tests.integration.edge.conftest import free_port


def test_the_command_says_where_it_answers_and_stops_when_asked() -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "origin.commands", "edge", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == f"The edge answers at http://127.0.0.1:{port}\n"
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").json() == {"status": "ok"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10.0) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1.0)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
