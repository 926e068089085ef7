"""Events on their way through the edge."""

import json
from concurrent.futures import ThreadPoolExecutor

from tests.integration.edge.conftest import Stand

EVENT = {
    "event_id": "e1",
    "type": "click",
    "consent": "full",
    "user_id": "u1",
    "session_id": "s1",
    "item_id": "i1",
    "occurred_at_ms": 1_767_225_600_000,
}


def test_events_reach_the_origin_before_they_are_acknowledged(stand: Stand) -> None:
    answer = stand.client.post(
        "/v1/events",
        content=json.dumps({"events": [EVENT, {**EVENT, "consent": "none"}, {"type": "click"}]}),
        headers={"Content-Type": "text/plain"},
    )
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 1,
        "duplicates": 0,
        "dropped_by_consent": 1,
        "rejected": [{"index": 2, "field": "consent", "problem": "is required"}],
    }
    assert [event["event_id"] for event in stand.origin.events] == ["e1"]
    assert stand.origin.events[0]["user_id"] == "u1"


def test_global_privacy_control_takes_the_user_out_of_events(stand: Stand) -> None:
    answer = stand.client.post("/v1/events", json={"events": [EVENT]}, headers={"Sec-GPC": "1"})
    assert answer.status_code == 202
    assert stand.origin.events[0]["user_id"] is None
    assert stand.origin.events[0]["consent"] == "cohort"


def test_while_the_origin_is_away_events_are_sent_back_for_later(stand: Stand) -> None:
    stand.origin.status = 503
    answer = stand.client.post("/v1/events", json={"events": [EVENT]})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    stand.origin.status = 200
    assert stand.client.post("/v1/events", json={"events": [EVENT]}).status_code == 202


def test_a_batch_without_one_usable_event_is_refused(stand: Stand) -> None:
    answer = stand.client.post("/v1/events", json={"events": [{**EVENT, "item_id": 7}]})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "events[0].item_id"
    assert stand.origin.events == []


def test_an_event_that_comes_again_is_acknowledged_and_not_sent_again(stand: Stand) -> None:
    first = stand.client.post("/v1/events", json={"events": [EVENT, EVENT]})
    again = stand.client.post("/v1/events", json={"events": [EVENT]})
    fresh = stand.client.post("/v1/events", json={"events": [EVENT, {**EVENT, "event_id": "e2"}]})
    assert [answer.status_code for answer in (first, again, fresh)] == [202, 202, 202]
    assert [answer.json()["duplicates"] for answer in (first, again, fresh)] == [1, 1, 1]
    assert [event["event_id"] for event in stand.origin.events] == ["e1", "e2"]


def test_an_event_that_the_origin_did_not_take_is_sent_again(stand: Stand) -> None:
    stand.origin.status = 503
    assert stand.client.post("/v1/events", json={"events": [EVENT]}).status_code == 503
    stand.origin.status = 200
    assert stand.client.post("/v1/events", json={"events": [EVENT]}).json()["duplicates"] == 0
    assert [event["event_id"] for event in stand.origin.events] == ["e1"]


def test_an_origin_that_fails_once_is_asked_once_more_at_once(stand: Stand) -> None:
    stand.origin.failures = 1
    assert stand.client.post("/v1/events", json={"events": [EVENT]}).status_code == 202
    assert stand.origin.requests["/v1/events"] == 2


def test_batches_that_come_while_the_origin_is_busy_share_a_request(stand: Stand) -> None:
    stand.slate()
    stand.origin.delay_s = 0.3
    ids = [f"e{number}" for number in range(60)]

    def send(event_id: str) -> int:
        body = {"events": [{**EVENT, "event_id": event_id}]}
        return stand.client.post("/v1/events", json=body).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(send, ids)) == {202}
    assert sorted(event["event_id"] for event in stand.origin.events) == sorted(ids)
    assert stand.origin.requests["/v1/events"] < len(ids) * 0.7


def test_one_batch_that_the_origin_refuses_takes_no_other_with_it(stand: Stand) -> None:
    stand.slate()
    stand.origin.delay_s = 0.3
    stand.origin.refused_item = "poison"
    items = ["poison" if number == 7 else f"i{number}" for number in range(20)]

    def send(item_id: str) -> int:
        body = {"events": [{**EVENT, "item_id": item_id, "event_id": item_id}]}
        return stand.client.post("/v1/events", json=body).status_code

    with ThreadPoolExecutor(20) as pool:
        answers = dict(zip(items, pool.map(send, items), strict=True))
    assert answers.pop("poison") == 422
    assert set(answers.values()) == {202}
