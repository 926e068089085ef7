"""Child processes that are started together, watched, and stopped without a trace."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from origin.child_process import started, stop

LOG_TAIL_LINES = 15


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
    environment: Mapping[str, str]
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
        """Start ``attune ARGUMENTS`` with these variables added, logging under its name."""
        log = self.logs / f"{name}.log"
        command = [sys.executable, "-m", "origin.commands", *arguments]
        with log.open("wb") as output:
            process = started(command, {**self.environment, **environment}, output)
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
