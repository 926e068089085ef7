"""The border to JavaScript: its byte arrays become bytes on the way in, bytes become arrays."""

# The interpreter's bridge exists inside the worker alone, where no type checker sees it.
# pyright: reportMissingImports=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Protocol

from pyodide.ffi import to_js

from edge_worker.phases import Phases


class JsBytes(Protocol):
    """A JavaScript Uint8Array."""

    def to_bytes(self) -> bytes:
        """Return a copy."""
        ...


class Entry:
    """``Phases`` for JavaScript. Numbers and strings cross as they are."""

    def __init__(self, manifest: JsBytes) -> None:
        self._phases = Phases(manifest.to_bytes())

    def begin(self, arrival: JsBytes) -> object:
        """See ``Phases.begin``."""
        return to_js(self._phases.begin(arrival.to_bytes()))

    def resume(self, handle: int, payload: JsBytes, source: str, now_ms: float) -> object:
        """See ``Phases.resume``."""
        return to_js(self._phases.resume(handle, payload.to_bytes(), source, int(now_ms)))

    def finish(self, handle: int, scores: JsBytes) -> object:
        """See ``Phases.finish``."""
        return to_js(self._phases.finish(handle, scores.to_bytes()))

    def drop(self, handle: int) -> None:
        """See ``Phases.drop``."""
        self._phases.drop(handle)

    def offer_bundle(self, key: str, payload: JsBytes, source: str, now_ms: float) -> object:
        """See ``Phases.offer_bundle``."""
        return to_js(self._phases.offer_bundle(key, payload.to_bytes(), source, int(now_ms)))

    def offer_policy(self, payload: JsBytes, etag: str) -> None:
        """See ``Phases.offer_policy``."""
        self._phases.offer_policy(payload.to_bytes(), etag)

    def begin_events(self, arrival: JsBytes) -> object:
        """See ``Phases.begin_events``."""
        return to_js(self._phases.begin_events(arrival.to_bytes()))

    def finish_events(self, users: JsBytes, count: int, accepted: bool, now_ms: float) -> None:
        """See ``Phases.finish_events``."""
        self._phases.finish_events(users.to_bytes(), count, accepted, int(now_ms))

    def status(self) -> object:
        """See ``Phases.status``."""
        return to_js(self._phases.status())
