"""A thousand malformed requests to every public path: none breaks the edge, Python never dies."""

from __future__ import annotations

import json
import random
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.edge.conftest import Stand, running_stand
from tests.integration.edge.test_events import EVENT
from tests.parity.states import NOW_MS, random_request

REQUESTS = 1_000
SECRET = "the secret that the edge signs with, for tests"
TRACKED = {"type": "track", "event": "Order Completed", "anonymousId": "a1", "messageId": "m1"}
MESSAGE = {**TRACKED, "properties": {"products": [{"product_id": "p1"}]}, "context": {}}
CALLS = ("track", "t", "identify", "i", "page", "p", "screen", "s", "group", "g", "alias", "a")
TRACKING = tuple(f"/v1/{call}" for call in CALLS)
OTHERS = ("/v1/projects/web/settings", "/v1/edge/status", "/v1/identity", "/healthz", "/")
PATHS = ("/v1/recommendations", "/v1/events", "/v1/batch", "/v1/b", *TRACKING, *OTHERS)
METHODS = ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
TYPES = ("application/json", "text/plain", "application/msgpack", "multipart/form-data", "\u00e9")

JUNK: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1e308, 2**63, -(2**70), 0.1, "", "x" * 300, "\x00", "\ud800"),
    *("\ud83d\ude00", [], [[]], {}, {"": ""}, {"__proto__": {"a": 1}}, [None] * 600, "NaN"),
)
ODD_BODIES = (
    *(b"", b"{", b"nul", b"\xff\xfe", b"\x00", b"NaN", b'{"a":1e999}', b"[" * 20_000),
    *(b"[" * 30_000 + b"]" * 30_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b'"' + b"x" * 70_000),
    *(b'{"consent":"full","consent":7}', b"\xed\xa0\x80", b"-", b"1" * 5_000, b'{"\\ud800":1}'),
)
ODD_HEADERS: tuple[tuple[str, bytes], ...] = (
    ("Authorization", b"Bearer"),
    ("Authorization", b"Bearer " + b"x" * 8_000),
    ("Authorization", b"Bearer a.b.c"),
    ("Authorization", b"Basic ===="),
    ("Authorization", b"Basic \xff\xfe"),
    ("Authorization", b"Digest x"),
    ("Cookie", b"attune_id=v1.a.b.c"),
    ("Cookie", b"attune_id=" + b"." * 5_000),
    ("Cookie", b"attune_id=\xe9; attune_id=;;;="),
    ("Origin", b"null"),
    ("Origin", b"https://[::bad"),
    ("Sec-GPC", b"yes"),
    ("X-Forwarded-Proto", b"gopher"),
    ("CF-Connecting-IP", b"\xff" * 100),
    ("Content-Encoding", b"gzip"),
    ("Accept", b"\x01"),
    ("Content-Length", b"7"),
    ("Expect", b"100-continue"),
)


@pytest.fixture(scope="module")
def protected() -> Iterator[Stand]:
    """Yield an edge with everything switched on, but no limit of requests."""
    settings = {
        "ATTUNE_IDENTITY_SECRET": SECRET,
        "ATTUNE_WRITE_KEYS": "web=full",
        "ATTUNE_ALLOWED_ORIGINS": "https://shop.test",
        "ATTUNE_RATE_LIMIT": "0",
    }
    with running_stand(**settings) as stand:
        yield stand


def good_body(path: str, rng: random.Random) -> dict[str, Any]:
    """Return a body that the path would take."""
    if path == "/v1/recommendations":
        return {**random_request(rng, NOW_MS), "user_id": None}
    if path == "/v1/events":
        return {"events": [{**EVENT, "user_id": None}, {**EVENT, "consent": "cohort"}]}
    if path in ("/v1/batch", "/v1/b"):
        return {"writeKey": "web", "batch": [MESSAGE, MESSAGE]}
    return {"writeKey": "web", **MESSAGE}


def mutated(value: Any, rng: random.Random, share: float) -> Any:
    """Return the value with some of its parts replaced, dropped, nested or repeated."""
    if rng.random() < share:
        return rng.choice(JUNK)
    if rng.random() < share / 4:
        return nested(value, rng.choice((5, 40, 400)))
    if isinstance(value, dict):
        kept = {name: mutated(entry, rng, share) for name, entry in value.items()}
        return {name: entry for name, entry in kept.items() if rng.random() > share / 4}
    if isinstance(value, list):
        return [mutated(entry, rng, share) for entry in value] * rng.choice((1, 1, 1, 40))
    return value


def nested(value: Any, depth: int) -> Any:
    """Return the value inside so many lists."""
    for _ in range(depth):
        value = [value]
    return value


def body_for(path: str, rng: random.Random) -> bytes:
    """Return a body that is wrong in one of many ways, now and then a good one."""
    if rng.random() < 0.15:
        return rng.choice(ODD_BODIES)
    body = bytearray(
        json.dumps(mutated(good_body(path, rng), rng, rng.choice((0, 0.03, 0.2)))).encode()
    )
    if rng.random() < 0.15:
        del body[rng.randrange(len(body)) :]
    elif rng.random() < 0.15 and body:
        body[rng.randrange(len(body))] = rng.randrange(256)
    return bytes(body)


def raw_request(path: str, rng: random.Random) -> bytes:
    """Return a whole HTTP request, junk and all; no client of ours would send most of them."""
    method = rng.choice(METHODS) if rng.random() < 0.15 else "POST"
    body = body_for(path, rng)
    headers = [("Host", b"edge"), ("Connection", b"close")]
    headers.append(("Content-Type", rng.choice(TYPES).encode()))
    if method != "HEAD":
        headers.append(("Content-Length", str(len(body)).encode()))
    for name, value in rng.sample(ODD_HEADERS, rng.choice((0, 0, 1, 2))):
        if name != "Content-Length" or rng.random() < 0.3:
            headers.append((name, value))
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in headers)
    return f"{method} {path} HTTP/1.1\r\n".encode() + lines + b"\r\n" + body


def answer_to(stand: Stand, request: bytes) -> tuple[int, bytes]:
    """Return the answer's status and all of it; 0 where the server hung up without one."""
    base = stand.client.base_url
    with socket.create_connection((base.host, base.port or 80), timeout=10.0) as connection:
        try:
            connection.sendall(request)
            # What is cut short would be waited for.
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile("rb").read()
        except TimeoutError:
            raise
        except OSError:
            return 0, b""
    return (int(answer.split(b" ", 2)[1]) if answer else 0), answer


def test_a_thousand_malformed_requests_break_nothing(protected: Stand) -> None:
    protected.slate(user_id=None)
    rng = random.Random(20260301)
    seen: Counter[int] = Counter()
    for number in range(REQUESTS):
        path = PATHS[number % len(PATHS)]
        request = raw_request(path, rng)
        status, answer = answer_to(protected, request)
        seen[status] += 1
        assert status < 500, request[:2_000]
        # What is served when Python fails must not hide that it did.
        assert b'"slate_id":"static"' not in answer, request[:2_000]
    assert {200, 202, 400, 401, 403, 405, 413, 422} <= set(seen), seen
    # Some requests are no HTTP at all, and the server answers those by hanging up.
    assert seen[0] < REQUESTS / 10, seen
    assert protected.status()["boots"] == 1
    assert protected.slate(user_id=None)["items"]
