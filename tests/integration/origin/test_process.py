"""``attune serve`` as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

START_SECONDS = 60
STOP_SECONDS = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serve(port: int, **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "origin.commands", "serve", "--port", str(port)],
        env={**os.environ, "DATABASE_URL": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0].decode()
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("attune serve was not ready in time")


def test_it_serves_from_nothing_and_stops_on_sigterm_leaving_nothing(home: Path) -> None:
    port = free_port()
    process = serve(port, ATTUNE_HOME=str(home))
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(process, url)
        assert (home / "postgres" / "postmaster.pid").exists()
        asked = {"consent": "none", "session_id": "s"}
        assert httpx.post(f"{url}/v1/recommendations", json=asked).status_code == 200
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=STOP_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, output.decode()
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_after_a_kill_the_next_process_goes_on_and_cleans_up(home: Path) -> None:
    first, second = free_port(), free_port()
    killed = serve(first, ATTUNE_HOME=str(home))
    heir: subprocess.Popen[bytes] | None = None
    try:
        wait_until_ready(killed, f"http://127.0.0.1:{first}")
        url = f"http://127.0.0.1:{first}/v1/items/kept"
        assert httpx.put(url, json={"title": "Kept"}).status_code == 201
        killed.kill()
        killed.communicate()
        heir = serve(second, ATTUNE_HOME=str(home))
        wait_until_ready(heir, f"http://127.0.0.1:{second}")
        assert httpx.get(f"http://127.0.0.1:{second}/v1/items/kept").status_code == 200
        heir.send_signal(signal.SIGTERM)
        heir.communicate(timeout=STOP_SECONDS)
    finally:
        for process in (killed, heir):
            if process is not None:
                process.kill()
                process.wait()
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_malformed_settings_are_all_named_in_one_error() -> None:
    process = serve(free_port(), ATTUNE_BUNDLE_FRESH_MS="soon", ATTUNE_EXPLORATION_LOW="2")
    output, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1
    assert b"ATTUNE_BUNDLE_FRESH_MS" in output
    assert b"ATTUNE_EXPLORATION_LOW" in output
