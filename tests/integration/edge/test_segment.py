"""The Segment tracking API, over HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.edge.conftest import Stand, running_stand

MESSAGE: dict[str, Any] = {
    "anonymousId": "anonymous-1",
    "messageId": "m1",
    "event": "Product Clicked",
    "properties": {"product_id": "p1"},
}
SHOP = {"Origin": "https://shop.test"}


@pytest.fixture(scope="module")
def tracking() -> Iterator[Stand]:
    """Yield an edge with two write keys."""
    with running_stand(ATTUNE_WRITE_KEYS="web=full, server=full:trusted") as stand:
        yield stand


def test_every_call_has_its_long_and_its_short_path(tracking: Stand) -> None:
    for kind in ("track", "identify", "page", "screen", "group", "alias"):
        for path in (f"/v1/{kind}", f"/v1/{kind[0]}"):
            body = {**MESSAGE, "messageId": path}
            answer = tracking.client.post(path, json=body, auth=("web", ""))
            assert answer.status_code == 200, path
            assert answer.json()["success"] is True
    stored = [event["event_id"] for event in tracking.origin.events]
    assert stored == ["/v1/track", "/v1/t"]


def test_the_browser_librarys_form_is_understood(tracking: Stand) -> None:
    """Text, so that the browser asks no preflight; the key in the body; any page."""
    body = {"writeKey": "web", "batch": [{**MESSAGE, "type": "track", "messageId": "m2"}]}
    headers = {"Content-Type": "text/plain", **SHOP}
    answer = tracking.client.post("/v1/b", content=json.dumps(body), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert tracking.origin.events[-1]["event_id"] == "m2"
    asked = {"Access-Control-Request-Headers": "authorization,content-type", **SHOP}
    preflight = tracking.client.options("/v1/t", headers=asked)
    assert preflight.status_code == 204
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]


def test_a_message_that_comes_again_is_sent_once(tracking: Stand) -> None:
    body = {**MESSAGE, "messageId": "again"}
    answers = [tracking.client.post("/v1/t", json=body, auth=("web", "")) for _ in range(2)]
    assert [answer.json()["duplicates"] for answer in answers] == [0, 1]
    ids = [event["event_id"] for event in tracking.origin.events]
    assert ids.count("again") == 1


def test_while_the_origin_is_away_messages_are_sent_back_for_later(tracking: Stand) -> None:
    tracking.origin.status = 503
    body = {**MESSAGE, "messageId": "later"}
    answer = tracking.client.post("/v1/t", json=body, auth=("web", ""))
    tracking.origin.status = 200
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert tracking.client.post("/v1/t", json=body, auth=("web", "")).status_code == 200


def test_an_unknown_write_key_is_refused_and_without_keys_all_are(
    tracking: Stand, running: Stand
) -> None:
    assert tracking.client.post("/v1/t", json=MESSAGE, auth=("nobody", "")).status_code == 401
    assert running.client.post("/v1/t", json=MESSAGE, auth=("web", "")).status_code == 401


def test_a_server_may_send_half_a_megabyte_and_no_more(tracking: Stand) -> None:
    def body(bytes_: int) -> dict[str, Any]:
        padding = {"padding": "x" * bytes_}
        return {"batch": [{**MESSAGE, "type": "track", "messageId": "big", "context": padding}]}

    assert tracking.client.post("/v1/batch", json=body(400_000), auth=("server", "")).is_success
    too_much = tracking.client.post("/v1/batch", json=body(600_000), auth=("server", ""))
    assert too_much.status_code == 413


def test_the_browser_library_starts_with_our_settings(tracking: Stand) -> None:
    answer = tracking.client.get("/v1/projects/web/settings", headers=SHOP)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    segment = answer.json()["integrations"]["Segment.io"]
    base = tracking.client.base_url
    assert (segment["apiKey"], segment["protocol"]) == ("web", "http")
    assert segment["apiHost"] == f"{base.host}:{base.port}/v1"
    assert "deliveryStrategy" not in segment
    assert tracking.client.get("/v1/projects/a b/settings").status_code == 404
