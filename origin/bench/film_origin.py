"""An origin of films for the edge's benchmarks: real wire values, and outages on a timetable."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from zlib import crc32

from attune.contract.bundle import (
    Bundle,
    BundleRequest,
    Candidates,
    pack_bundle,
    read_bundle_request,
)
from attune.contract.item import Item
from attune.contract.policy import PolicySnapshot, pack_policy
from origin.bench.stand_in import bundle_of, columns_of
from origin.packing import packed, unpacked

SHELVES = 32
"""Sets of candidates that visitors are dealt: each holds other films, the first ones most often."""

Outage = Callable[[float], str]
"""What is wrong at a time: "" for nothing, "refuse", "error" or "hang"."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long bundles are fresh and how long they may be served stale."""

    fresh_ms: int
    stale_ms: int


class FilmOrigin:
    """Answers what the edge asks, ``latency_s`` late, unless there is an outage."""

    def __init__(
        self, films: Sequence[Item], candidates: int, lifetimes: Lifetimes, latency_s: float
    ) -> None:
        self._latency_s = latency_s
        self._lifetimes = lifetimes
        self.outage: Outage = lambda _: ""
        plain = columns_of(candidates)
        self._shelves = [_stocked(plain, films, shelf) for shelf in range(SHELVES)]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Yield the address while it listens."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the edge hung up, or the run is over while an outage hangs
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        body = await reader.readexactly(_content_length(head))
        wrong = self.outage(time.monotonic())
        if wrong == "refuse":
            return False
        await asyncio.sleep(3_600 if wrong == "hang" else self._latency_s)
        status, answer = (503, b"") if wrong else self._found(path, body)
        writer.write(
            b'HTTP/1.1 %d x\r\ncontent-length: %d\r\netag: "1"\r\n\r\n' % (status, len(answer))
        )
        writer.write(answer)
        await writer.drain()
        return True

    def _found(self, path: str, body: bytes) -> tuple[int, bytes]:
        if path == "/v1/bundle":
            return 200, packed(pack_bundle(self._bundle(read_bundle_request(unpacked(body)))))
        if path == "/v1/policy":
            return 200, packed(pack_policy(PolicySnapshot(1, int(time.time() * 1000))))
        return (404, b"") if path.startswith("/v1/models") else (202, b"{}")

    def _bundle(self, question: BundleRequest) -> Bundle:
        shelf = crc32((question.user_id or "").encode()) % SHELVES
        made = bundle_of(question, self._shelves[shelf])
        latest = max((recent.occurred_at_ms for recent in question.recent), default=0)
        return replace(
            made,
            version=f"{time.monotonic_ns():x}",
            fresh_ms=self._lifetimes.fresh_ms,
            stale_ms=self._lifetimes.stale_ms,
            covers_until_ms=latest,
        )


def _stocked(plain: Candidates, films: Sequence[Item], shelf: int) -> Candidates:
    """Return the candidates with films in their places."""
    rng = random.Random(shelf)  # noqa: S311 - a synthetic choice
    chosen = rng.sample(list(films), len(plain))
    return replace(
        plain,
        item_ids=tuple(film.item_id for film in chosen),
        cards=tuple(film.card() for film in chosen),
    )


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
