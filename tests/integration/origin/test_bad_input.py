"""Whatever comes in, the origin says in a 4xx what is wrong with it."""

import json
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

GOOD = {"consent": "none", "session_id": "s"}

BAD_RECOMMENDATIONS: list[tuple[object, str]] = [
    ([], ""),
    ("text", ""),
    (None, ""),
    ({}, "consent"),
    (GOOD | {"consent": "maybe"}, "consent"),
    (GOOD | {"session_id": 7}, "session_id"),
    (GOOD | {"session_id": ""}, "session_id"),
    (GOOD | {"session_id": "a\x00b"}, "session_id"),
    (GOOD | {"session_id": "\ud800"}, "session_id"),
    (GOOD | {"n": 0}, "n"),
    (GOOD | {"n": 51}, "n"),
    (GOOD | {"n": "ten"}, "n"),
    (GOOD | {"n": 1e400}, ""),
    (GOOD | {"schema": 2}, "schema"),
    (GOOD | {"schema": "1"}, "schema"),
    (GOOD | {"consent": "full"}, "user_id"),
    (GOOD | {"recnt": []}, "recnt"),
    (GOOD | {"recent": [{}] * 21}, "recent"),
    (GOOD | {"recent": [{"item_id": "a", "action": "eat"}]}, "recent[0].action"),
    (GOOD | {"exclude": ["x"] * 201}, "exclude"),
    (GOOD | {"context": {"local_hour": 24}}, "context.local_hour"),
]


@pytest.mark.parametrize(("body", "field"), BAD_RECOMMENDATIONS)
def test_a_wrong_recommendation_request_names_the_field(
    client: TestClient, body: object, field: str
) -> None:
    answer = client.post("/v1/recommendations", content=json.dumps(body))
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert answer.json()["error"]["problem"]


BAD_TEXTS = [
    b"",
    b"{",
    b"\xff\xfe",
    b'{"consent": NaN}',
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b"9" * 5000,
]


@pytest.mark.parametrize("text", BAD_TEXTS)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/recommendations"), ("POST", "/v1/events"), ("PUT", "/v1/items/a")],
)
def test_what_is_no_json_is_a_400(client: TestClient, method: str, path: str, text: bytes) -> None:
    answer = client.request(method, path, content=text)
    assert answer.status_code == 400
    assert answer.json()["error"]["problem"]


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x81", b"\xdd\xff\xff\xff\xff", b"\x91" * 5000, b"\x01\x02"]
)
def test_what_is_no_msgpack_is_a_400(client: TestClient, body: bytes) -> None:
    headers = {"content-type": "application/msgpack"}
    for path in ("/v1/bundle", "/v1/events"):
        answer = client.post(path, content=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"]["problem"]


@pytest.mark.parametrize(
    ("method", "path", "size"),
    [
        ("POST", "/v1/recommendations", 300_000),
        ("POST", "/v1/bundle", 300_000),
        ("POST", "/v1/events", 3_000_000),
        ("PUT", "/v1/items/a", 300_000),
        ("POST", "/v1/items", 35_000_000),
    ],
)
def test_a_huge_body_is_a_413_stated_or_not(
    client: TestClient, method: str, path: str, size: int
) -> None:
    stated = client.request(method, path, content=b" " * size)
    assert stated.status_code == 413
    unstated = client.request(method, path, content=(b" " * (size // 10) for _ in range(11)))
    assert unstated.status_code == 413


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/items?limit=0", "limit"),
        ("/v1/items?limit=abc", "limit"),
        ("/v1/items?limit=99999999999999999999999", "limit"),
        ("/v1/items?after=" + "x" * 200, "after"),
        ("/v1/items/item-001/similar?n=-1", "n"),
        ("/v1/trending?n=1000", "n"),
        ("/v1/trending?category=%00", "category"),
        ("/v1/items/" + "x" * 200, "item_id"),
        ("/v1/items/%00", "item_id"),
    ],
)
def test_a_wrong_query_is_a_400(client: TestClient, path: str, field: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_unknown_paths_and_methods_answer_in_the_same_form(client: TestClient) -> None:
    assert client.get("/v1/nothing").status_code == 404
    assert client.get("/v1/nothing").json()["error"]["problem"] == "Not Found"
    assert client.put("/v1/recommendations").status_code == 405
    assert client.get("/v1/items/nothing").status_code == 404


ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
FIELDS = ("consent", "user_id", "session_id", "surface", "n", "context", "recent", "exclude",
          "events", "schema", "candidates_max", "title", "tags", "attributes", "price")  # fmt: skip
NEAR_MISSES = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, ANYTHING))
PATHS = ("/v1/recommendations", "/v1/bundle", "/v1/events", "/v1/items")


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=ANYTHING | NEAR_MISSES)
def test_nothing_that_can_be_sent_is_a_5xx(client: TestClient, body: object) -> None:
    text = json.dumps(body).encode()
    try:
        binary = msgpack.packb(body, unicode_errors="surrogatepass")
    except OverflowError:  # msgpack's integers end at 64 bits
        binary = b"\xc0"
    for path in PATHS:
        assert client.post(path, content=text).status_code < 500
        headers = {"content-type": "application/msgpack"}
        assert client.post(path, content=binary, headers=headers).status_code < 500
