"""Events on their way through the edge."""

import json

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
