"""Child processes that do not outlive their parent, and end with all that they started."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

STOP_SECONDS = 8.0
"""Each tier promises to end within five seconds of SIGTERM; what does not is killed."""

PR_SET_PDEATHSIG = 1


def started(
    arguments: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Return the running process; its output goes to ``output`` or to where ours goes."""
    return subprocess.Popen(  # noqa: S603 - our own programs, our own arguments
        arguments,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )


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
    """Have Linux end the child when its parent is killed without a chance to clean up."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
