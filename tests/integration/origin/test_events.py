"""Events on their way into a real log."""

import asyncio
import uuid
from typing import Any

import msgpack
import pytest
from starlette.testclient import TestClient

from attune.contract.logged import read_logged
from origin.event_log import EVENTS, PARTITIONS, open_event_log
from origin.event_log.port import partition_of


def click(**changes: object) -> dict[str, Any]:
    return {
        "event_id": uuid.uuid4().hex,
        "type": "click",
        "consent": "full",
        "user_id": "visitor",
        "session_id": "session",
        "item_id": "item-001",
        "occurred_at_ms": 1_700_000_000_000,
    } | changes


def send(client: TestClient, *events: object, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = client.post("/v1/events", json={"events": list(events)}, headers=headers)
    return answer.status_code, answer.json()


def logged(url: str, event_id: str) -> Any:
    """Return the event as it stands in the log, None when it is not there."""

    async def look() -> Any:
        async with await open_event_log(url, None) as log:
            member = await log.join(EVENTS, f"test-{uuid.uuid4().hex}")
            partitions = await log.partitions(EVENTS)
            records = await member.read(dict.fromkeys(range(partitions), 0), 100_000, 10)
            await member.leave()
        events = [(record.key, read_logged(msgpack.unpackb(record.value))) for record in records]
        return next((found for found in events if found[1].event_id == event_id), None)

    return asyncio.run(look())


def test_an_accepted_event_is_in_the_log_under_its_user(
    client: TestClient, postgres_url: str
) -> None:
    event = click()
    status, body = send(client, event)
    positions = body.pop("positions")
    assert (status, body) == (202, {"accepted": 1, "dropped_by_consent": 0, "rejected": []})
    key, found = logged(postgres_url, event["event_id"])
    assert key == b"visitor"
    assert positions.keys() == {str(partition_of(b"visitor", PARTITIONS))}
    later = send(client, click(), click())[1]["positions"]
    assert {partition: last + 2 for partition, last in positions.items()} == later
    assert (found.user_id, found.item_id, found.action) == ("visitor", "item-001", "click")


def test_msgpack_from_the_edge_is_taken_as_well(client: TestClient, postgres_url: str) -> None:
    event = click() | {"a_newer_field": 1}
    answer = client.post(
        "/v1/events",
        content=msgpack.packb({"events": [event]}),
        headers={"content-type": "application/msgpack"},
    )
    assert answer.status_code == 202
    assert logged(postgres_url, event["event_id"]) is not None


def test_one_bad_event_does_not_take_the_good_ones_with_it(client: TestClient) -> None:
    status, body = send(client, click(), click(item_id=""), {"type": "eat"}, click())
    assert (status, body["accepted"]) == (202, 2)
    assert [(r["index"], r["field"]) for r in body["rejected"]] == [(1, "item_id"), (2, "type")]


def test_a_batch_without_one_good_event_is_a_422(client: TestClient) -> None:
    status, body = send(client, click(schema=99), 5)
    assert (status, body["accepted"]) == (422, 0)
    assert body["error"]["field"] == "events[0].schema"
    assert len(body["rejected"]) == 2


@pytest.mark.parametrize("count", [0, 501, 10_001])
def test_an_empty_or_endless_batch_is_a_4xx(client: TestClient, count: int) -> None:
    status, body = send(client, *[{"n": n} for n in range(count)])
    assert status == 400
    assert body["error"]["field"] == "events"


def test_without_consent_an_event_is_dropped_and_said_so(
    client: TestClient, postgres_url: str
) -> None:
    event = click(consent="none")
    assert send(client, event) == (
        202,
        {"accepted": 0, "dropped_by_consent": 1, "rejected": [], "positions": {}},
    )
    assert logged(postgres_url, event["event_id"]) is None


def test_global_privacy_control_takes_the_user_out_of_the_event(
    client: TestClient, postgres_url: str
) -> None:
    event = click()
    assert send(client, event, **{"Sec-GPC": "1"})[0] == 202
    key, found = logged(postgres_url, event["event_id"])
    assert (key, found.user_id, found.consent.value) == (b"session", None, "cohort")
