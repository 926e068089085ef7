"""What the edge sends behind its answers: the slates that it served, and what it counted."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from attune.contract.edge_report import read_edge_report
from attune.contract.served import pack_served_slate, read_served_batch
from origin.event_log import IMPRESSIONS
from origin.event_log.port import LogUnavailableError
from origin.http.routes.bodies import msgpack_body
from origin.http.routes.endpoint import JSON, MSGPACK, Body, Endpoint, answers, services
from origin.http.routes.replies import json_reply, unavailable_reply
from origin.packing import packed

SLATES_BYTES_MAX = 2 * 1024 * 1024
"""100 slates of 50 items with 16 features each take 0.7 MB."""

REPORT_BYTES_MAX = 64 * 1024

APPEND_DEADLINE_S = 12.0
"""Longer than the log's own patience, so that it is the log that gives up and says why."""


async def take_slates(request: Request) -> Response:
    """Append served slates to the log; 202 means that the log has them."""
    slates = read_served_batch(await msgpack_body(request, SLATES_BYTES_MAX))
    tier = services(request)
    entries = [(slate.partition_key.encode(), packed(pack_served_slate(slate))) for slate in slates]
    try:
        async with asyncio.timeout(APPEND_DEADLINE_S):
            await tier.log.append(IMPRESSIONS, entries)
    except (LogUnavailableError, TimeoutError):
        return unavailable_reply("the event log does not answer; send the slates again")
    return json_reply({"accepted": len(slates)}, 202)


async def take_report(request: Request) -> Response:
    """Add what an edge counted to the metrics."""
    report = read_edge_report(await msgpack_body(request, REPORT_BYTES_MAX))
    services(request).metrics.edge.add(report)
    return Response(status_code=204)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/slates",
        handler=take_slates,
        summary="Append slates that the edge served to the log.",
        answers=answers(
            s202="the log has them",
            s400="a slate breaks the contract",
            s413="too large",
            s503="the log does not answer: send the batch again",
        ),
        accepts=Body((MSGPACK,), "ServedBatch"),
        returns=Body((JSON,), "ServedOutcome"),
    ),
    Endpoint(
        method="POST",
        path="/v1/edge/metrics",
        handler=take_report,
        summary="Add what an edge counted since its last report to the metrics.",
        answers=answers(s204="counted", s400="the report breaks the contract", s413="too large"),
        accepts=Body((MSGPACK,), "EdgeReport"),
    ),
)
