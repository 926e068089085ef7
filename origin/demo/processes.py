"""Child processes that are started together, watched, and stopped without a trace."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

STOP_SECONDS = 8.0
"""Each tier promises to end within five seconds of SIGTERM; what does not is killed."""

LOG_TAIL_LINES = 15
PR_SET_PDEATHSIG = 1


class ProcessError(Exception):
    """A child that ended, or did not become ready in time; says where its log is."""


@dataclass(slots=True)
class Child:
    """A running process and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def require_running(self) -> None:
        """Raise ProcessError with the end of its log if the process has ended."""
        if self.process.poll() is None:
            return
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(lines[-LOG_TAIL_LINES:])
        raise ProcessError(
            f"{self.name} ended with status {self.process.returncode}; {self.log} says:\n{tail}"
        )


@dataclass(slots=True)
class Processes:
    """A context manager that stops in reverse order whatever was started in it."""

    logs: Path
    children: list[Child] = field(default_factory=list[Child])

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in reversed(self.children):
            stop(child.process)

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start ``attune ARGUMENTS`` with these variables; its output goes to a log of its name."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "origin.commands", *arguments],
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def require_running(self) -> None:
        """Raise ProcessError if any child has ended."""
        for child in self.children:
            child.require_running()

    def wait_until(self, ready: Callable[[], bool], what: str, deadline_seconds: float) -> None:
        """Return when ``ready()``; raise ProcessError when a child ends or the deadline passes."""
        deadline = time.monotonic() + deadline_seconds
        while not ready():
            self.require_running()
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"{what} took longer than {deadline_seconds:g} s; see {self.logs}"
                )
            time.sleep(0.05)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process and all it started to end; kill what has not ended in time."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait(STOP_SECONDS)
    # Its own children share its session: what outlived it goes now.
    _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _die_with_parent() -> None:
    """Have Linux end the child when the demo is killed without a chance to clean up."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
