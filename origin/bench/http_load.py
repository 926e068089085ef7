"""Requests over raw sockets in a closed loop: the client costs as little as it can."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
READ_BYTES = 65_536
ANSWER_S = 20.0


@dataclass(slots=True)
class _Connection:
    """One request at a time: when it was sent, and what has come of its answer."""

    sent_at: float = 0.0
    answer: bytes = b""


def post(path: str, body: bytes) -> bytes:
    """Return a request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def load(port: int, requests: Sequence[bytes], count: int, connections: int) -> list[float]:
    """Return the milliseconds of ``count`` answers, sorted; each connection sends one by one.

    Raises:
        ConnectionError: an answer was not 200, or none came.
    """
    took_ms: list[float] = []
    with selectors.DefaultSelector() as selector:
        for number in range(connections):
            sock = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(time.perf_counter())
            selector.register(sock, selectors.EVENT_READ, connection)
            sock.sendall(requests[number % len(requests)])
        try:
            _exchange(selector, requests, count, took_ms)
        finally:
            for key in list(selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]
    return sorted(took_ms)


def _exchange(
    selector: selectors.BaseSelector, requests: Sequence[bytes], count: int, took_ms: list[float]
) -> None:
    sent = 0
    while len(took_ms) < count:
        ready = selector.select(ANSWER_S)
        if not ready:
            raise ConnectionError(f"no answer came within {ANSWER_S:g} s")
        for key, _ in ready:
            sock, connection = key.fileobj, key.data
            assert isinstance(sock, socket.socket)
            connection.answer += sock.recv(READ_BYTES)
            if not _is_whole(connection.answer):
                continue
            took_ms.append((time.perf_counter() - connection.sent_at) * 1000)
            connection.answer = b""
            sent += 1
            connection.sent_at = time.perf_counter()
            sock.sendall(requests[sent % len(requests)])


def _is_whole(answer: bytes) -> bool:
    end = answer.find(HEAD_END)
    if end < 0:
        if not answer:
            raise ConnectionError("the connection was closed")
        return False
    if not answer.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(f"the answer is {answer[:200]!r}")
    head = answer[:end].lower()
    start = head.find(LENGTH)
    if start < 0:
        return answer.endswith(b"0\r\n\r\n")
    length = int(head[start + len(LENGTH) :].split(b"\r", 1)[0])
    return len(answer) >= end + len(HEAD_END) + length
