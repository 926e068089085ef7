"""The border to JavaScript: what the worker's snapshot is made of, and how it wakes up.

JavaScript holds one object, ``Phases``, and calls its public methods with bytes, text, numbers and
truth values; what comes back is bytes or nothing (see wasm/python_calls.js).
"""

from __future__ import annotations

import gc
import importlib
import random

from edge_worker.phases import Phases
from edge_worker.rehearsal import rehearse

IMPORTED_LATE = ("copy", "heapq")
"""What the standard library imports inside functions: a worker has no files to import it from.
Tracebacks need nothing here: the interpreter prints them itself where their module is missing."""


def opened(manifest: bytes) -> Phases:
    """Return a fresh edge in an interpreter that has gone through every phase already.

    All that a rehearsal leaves behind lives as long as the interpreter: it is frozen, so that the
    collector never walks through it again.
    """
    for name in IMPORTED_LATE:
        importlib.import_module(name)
    rehearse(manifest)
    phases = Phases(manifest)
    gc.collect()
    gc.freeze()
    return phases


def methods() -> bytes:
    """Return the names of the phases that JavaScript may call, one a line."""
    return "\n".join(name for name in vars(Phases) if not name.startswith("_")).encode()


def woke_up() -> None:
    """Draw new dice: those of the snapshot are known to everybody."""
    random.seed()
