"""Load on an edge: kept-alive connections, as fast as they go or at a fixed rate."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

TIMEOUT_S = 20.0

Answered = Callable[["Exchange"], None]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; status 0 means that none came."""

    path: str
    status: int
    body: bytes
    took_ms: float
    """From when the request was due, so that a queue in front of the edge counts."""


@dataclass(slots=True)
class Connection:
    """One connection that is opened anew when it breaks."""

    host: str
    port: int
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None)

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body; (0, b"") when there was no answer."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._posted(path, body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            await self.close()
            return 0, b""

    async def _posted(self, path: str, body: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._streams
        head = f"POST {path} HTTP/1.1\r\nHost: edge\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        raw = await reader.readuntil(b"\r\n\r\n")
        status = int(raw[9:12])
        headers = raw.lower()
        if b"transfer-encoding: chunked" in headers:
            return status, await _chunks(reader)
        length = int(headers.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        return status, await reader.readexactly(length)

    async def close(self) -> None:
        """Close what is open."""
        if self._streams is not None:
            self._streams[1].close()
            with suppress(OSError):
                await self._streams[1].wait_closed()
            self._streams = None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


class Traffic:
    """Visitors of a shop: mostly slates, now and then an event; a few visitors come often."""

    def __init__(self, visitors: int = 100, one_event_in: int = 10) -> None:
        self._visitors = visitors
        self._one_event_in = one_event_in
        self._number = 0

    def next(self) -> tuple[str, bytes]:
        """Return path and body of the next request."""
        self._number += 1
        # Squares of evenly spread numbers: the first tenth of the visitors makes a third of it.
        visitor = int(self._visitors * (self._number * 0.618_034 % 1.0) ** 2)
        user = {"user_id": f"visitor-{visitor}", "session_id": f"session-{visitor}"}
        if self._number % self._one_event_in == 0:
            click = {
                "event_id": f"event-{self._number}",
                "type": "click",
                "consent": "full",
                "item_id": "item-0001",
                "occurred_at_ms": time.time_ns() // 1_000_000,
            }
            return "/v1/events", json.dumps({"events": [click | user]}).encode()
        question = {"consent": "full", "surface": "home", "n": 12} | user
        return "/v1/recommendations", json.dumps(question).encode()


async def at_capacity(
    port: int, traffic: Traffic, seconds: float, answered: Answered, connections: int = 8
) -> None:
    """Keep some connections busy for a while."""
    ends = time.perf_counter() + seconds

    async def busy() -> None:
        connection = Connection("127.0.0.1", port)
        while time.perf_counter() < ends:
            await _exchange(connection, traffic, time.perf_counter(), answered)
        await connection.close()

    await asyncio.gather(*(busy() for _ in range(connections)))


async def at_rate(
    port: int, traffic: Traffic, seconds: float, per_s: float, answered: Answered,
    connections: int = 64,
) -> None:  # fmt: skip
    """Send requests at even distances, whether earlier ones have been answered or not."""
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        idle.put_nowait(Connection("127.0.0.1", port))

    async def one(due: float) -> None:
        connection = await idle.get()
        await _exchange(connection, traffic, due, answered)
        idle.put_nowait(connection)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(seconds * per_s)):
            due = began + number / per_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(one(due))
    while not idle.empty():
        await idle.get_nowait().close()


async def _exchange(
    connection: Connection, traffic: Traffic, due: float, answered: Answered
) -> None:
    path, body = traffic.next()
    status, answer = await connection.post(path, body)
    answered(Exchange(path, status, answer, (time.perf_counter() - due) * 1000))
