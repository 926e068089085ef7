"""Events on their way into the log."""

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from attune.contract.decode import ContractError
from attune.contract.event import (
    Event,
    EventBatch,
    partition_key,
    read_event_batch,
)
from attune.contract.logged import log_form
from origin.event_log import EVENTS
from origin.event_log.port import Entry, LogOverloadedError, LogUnavailableError
from origin.http.routes.bodies import (
    bounded_body,
    decoded_json,
    decoded_msgpack,
    global_privacy_control,
    is_msgpack,
)
from origin.http.routes.endpoint import JSON, MSGPACK, Body, Endpoint, answers, services
from origin.http.routes.replies import json_reply, unavailable_reply
from origin.packing import packed

BATCH_BYTES_MAX = 2 * 1024 * 1024
"""500 events of the largest kind, impressions of 50 items, take 2 MB."""

APPEND_DEADLINE_S = 12.0
"""Longer than the log's own patience, so that it is the log that gives up and says why."""


async def take_events(request: Request) -> Response:
    """Append a batch to the log; 202 means that the log has it."""
    body = await bounded_body(request, BATCH_BYTES_MAX)
    from_edge = is_msgpack(request)
    raw = decoded_msgpack(body) if from_edge else decoded_json(body)
    batch = read_event_batch(raw, global_privacy_control(request), strict=not from_edge)
    tier = services(request)
    tier.metrics.saw_batch(batch)
    positions: Mapping[int, int] = {}
    if batch.events:
        try:
            async with asyncio.timeout(APPEND_DEADLINE_S):
                entries = [_entry(event) for event in batch.events]
                positions = await tier.log.append(EVENTS, entries)
        except LogOverloadedError:
            tier.metrics.log_refused(len(batch.events))
            return unavailable_reply("the event log is overloaded; send the batch again")
        except (LogUnavailableError, TimeoutError):
            tier.metrics.log_refused(len(batch.events))
            return unavailable_reply("the event log does not answer; send the batch again")
        tier.metrics.log_took(len(batch.events))
    return _outcome(batch, positions)


def _entry(event: Event) -> Entry:
    return partition_key(event).encode(), packed(log_form(event))


def _outcome(batch: EventBatch, positions: Mapping[int, int]) -> Response:
    rejected = [
        {"index": event.index, "field": event.field, "problem": event.problem}
        for event in batch.rejected
    ]
    body = {
        "accepted": len(batch.events),
        "dropped_by_consent": batch.dropped_by_consent,
        "rejected": rejected,
        "positions": {str(partition): positions[partition] for partition in sorted(positions)},
    }
    if batch.events or batch.dropped_by_consent:
        return json_reply(body, 202)
    first = batch.rejected[0]
    error = ContractError(first.field, first.problem).within(f"[{first.index}]").within("events")
    return json_reply({**body, **error.as_json()}, 422)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/events",
        handler=take_events,
        summary="Append a batch of events to the log.",
        answers=answers(
            s202="the log has every accepted event",
            s400="the batch is no batch",
            s413="too large",
            s422="not one event keeps the contract",
            s503="the log does not answer or is overloaded: send the batch again",
        ),
        accepts=Body((JSON, MSGPACK), "EventBatch"),
        returns=Body((JSON,), "EventOutcome"),
    ),
)
