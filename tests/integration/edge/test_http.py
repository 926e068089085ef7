"""What the edge answers to requests that are wrong, and to those that are not about slates."""

import json
import random

import pytest

from tests.integration.edge.conftest import Stand, running_stand
from tests.integration.edge.test_events import EVENT
from tests.parity.states import NOW_MS, random_request

GOOD = {"consent": "full", "user_id": "u1", "session_id": "s1"}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, ""),
        (b"{", 400, ""),
        (b"\xff\xfe", 400, ""),
        (b"null", 400, ""),
        (b"[]", 400, ""),
        (b'"text"', 400, ""),
        (b"[" * 30_000 + b"]" * 30_000, 400, ""),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, ""),
        (json.dumps({**GOOD, "n": "ten"}).encode(), 400, "n"),
        (json.dumps({**GOOD, "n": 0}).encode(), 400, "n"),
        (json.dumps({**GOOD, "n": 1e308}).encode(), 400, "n"),
        (json.dumps({**GOOD, "colour": "red"}).encode(), 400, "colour"),
        (json.dumps({**GOOD, "schema": 99}).encode(), 400, "schema"),
        (json.dumps({**GOOD, "consent": "maybe"}).encode(), 400, "consent"),
        (json.dumps({**GOOD, "user_id": 7}).encode(), 400, "user_id"),
        (json.dumps({**GOOD, "user_id": "\x00"}).encode(), 400, "user_id"),
        (json.dumps({**GOOD, "user_id": "\ud800"}).encode(), 200, ""),
        (json.dumps({**GOOD, "recent": [{}]}).encode(), 400, "recent[0].item_id"),
        (json.dumps({**GOOD, "exclude": ["x"] * 201}).encode(), 400, "exclude"),
        (json.dumps({**GOOD, "context": {"device": "toaster"}}).encode(), 400, "context.device"),
        (json.dumps({**GOOD, "exclude": ["x" * 70_000]}).encode(), 413, ""),
    ],
)
def test_a_wrong_request_gets_an_error_that_names_the_field(
    running: Stand, body: bytes, status: int, field: str
) -> None:
    answer = running.client.post("/v1/recommendations", content=body)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["error"]["field"] == field
        assert answer.json()["error"]["problem"]


def test_a_body_without_a_stated_length_is_limited_too(running: Stand) -> None:
    answer = running.client.post("/v1/events", content=(b" " * 10_000 for _ in range(10)))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/recommendations", 405),
        ("DELETE", "/v1/events", 405),
        ("POST", "/healthz", 405),
        ("POST", "/index.html", 405),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/nothing", 404),
        ("GET", "/../package.json", 404),
        ("GET", "/%2e%2e/package.json", 404),
        ("GET", "/..%2fpackage.json", 404),
        ("GET", "/.env.json", 404),
        ("GET", "/healthz", 200),
        ("GET", "/v1/edge/status", 200),
    ],
)
def test_routes_answer_to_their_methods_alone(
    running: Stand, method: str, path: str, status: int
) -> None:
    answer = running.client.request(method, path)
    assert answer.status_code == status
    if status in (404, 405):
        assert answer.json()["error"]["problem"]


JUNK = (
    None,
    True,
    -1,
    1e308,
    2**63,
    "",
    "x" * 200,
    "\x00",
    "\ud800",
    [],
    [[]],
    {},
    {"a": 1},
    "é😀",
)


def mutated(value: object, rng: random.Random) -> object:
    """Return the value with some of its parts replaced, dropped or repeated."""
    if rng.random() < 0.05:
        return rng.choice((*JUNK, "__proto__"))
    if isinstance(value, dict):
        kept = {name: mutated(entry, rng) for name, entry in value.items() if rng.random() > 0.02}
        return kept | ({"__proto__": 1} if rng.random() < 0.02 else {})
    if isinstance(value, list):
        return [mutated(entry, rng) for entry in value] * rng.choice((1, 1, 1, 30))
    return value


def test_mutated_requests_never_break_the_edge(running: Stand) -> None:
    rng = random.Random(11)
    seen: set[int] = set()
    for _ in range(300):
        about_slates = rng.random() < 0.6
        path = "/v1/recommendations" if about_slates else "/v1/events"
        good = random_request(rng, NOW_MS) if about_slates else {"events": [EVENT, EVENT]}
        body = bytearray(json.dumps(mutated(good, rng)).encode())
        if rng.random() < 0.2:
            body[rng.randrange(len(body))] = rng.randrange(256)
        answer = running.client.post(path, content=bytes(body))
        seen.add(answer.status_code)
        assert answer.status_code in (200, 202, 400, 413, 422), answer.text
        assert answer.status_code != 200 or answer.json()["items"]
    assert seen >= {200, 202, 400, 422}
    assert running.status()["boots"] == 1


SHOP = "https://shop.test"


def test_a_page_of_a_listed_origin_may_ask_and_send_its_cookie() -> None:
    with running_stand(ATTUNE_ALLOWED_ORIGINS=f"https://other.test, {SHOP}") as stand:
        headers = {"Origin": SHOP}
        preflight = stand.client.options("/v1/recommendations", headers=headers)
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
        asked = stand.client.post("/v1/recommendations", json=GOOD, headers=headers)
        refused = stand.client.post("/v1/recommendations", content=b"{", headers=headers)
        for answer in (preflight, asked, refused):
            assert answer.headers["Access-Control-Allow-Origin"] == SHOP
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"
            assert answer.headers["Vary"] == "Origin"
        foreign = stand.client.post(
            "/v1/recommendations", json=GOOD, headers={"Origin": "https://shop.test.evil.test"}
        )
        assert foreign.status_code == 403


def test_with_an_open_list_any_page_may_ask_without_its_cookie() -> None:
    with running_stand(ATTUNE_ALLOWED_ORIGINS="*") as stand:
        answer = stand.client.options("/v1/events", headers={"Origin": SHOP})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", [SHOP, "null", "nonsense", "http://127.0.0.1:1"])
def test_without_a_list_only_the_edges_own_pages_may_ask(running: Stand, origin: str) -> None:
    events = {"events": [EVENT]}
    answer = running.client.post("/v1/events", json=events, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    own = {"Origin": str(running.client.base_url).rstrip("/")}
    assert running.client.post("/v1/events", json=events, headers=own).status_code == 202


def test_the_page_and_the_sdk_are_served_with_their_types(running: Stand) -> None:
    page = running.client.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert not any("unsafe" in rule for rule in policy)
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    sdk = running.client.get("/sdk/attune.js")
    assert sdk.headers["Content-Type"].startswith("text/javascript")
