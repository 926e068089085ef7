"""Users who want to be forgotten: the request, and the receipt."""

import asyncio
import uuid

from starlette.requests import Request
from starlette.responses import Response

from attune.contract.decode import ContractError, checked_text
from attune.contract.erasure import ErasureRequest, pack_erasure, pack_receipt
from origin.event_log import ERASURES
from origin.event_log.port import LogUnavailableError
from origin.http.routes.endpoint import JSON, Body, Endpoint, answers, services
from origin.http.routes.replies import error_reply, json_reply, unavailable_reply
from origin.packing import packed

APPEND_DEADLINE_S = 12.0
"""Longer than the log's own patience, so that it is the log that gives up and says why."""


async def erase_user(request: Request) -> Response:
    """Append a request to be forgotten; 202 means that the log has it."""
    tier = services(request)
    erasure = ErasureRequest(
        erasure_id=uuid.uuid4().hex,
        user_id=checked_text("user_id", request.path_params["user_id"]),
        requested_at_ms=tier.now_ms(),
    )
    entry = erasure.user_id.encode(), packed(pack_erasure(erasure))
    try:
        async with asyncio.timeout(APPEND_DEADLINE_S):
            await tier.log.append(ERASURES, [entry])
    except (LogUnavailableError, TimeoutError):
        return unavailable_reply("the event log does not answer; ask again")
    body = {"erasure_id": erasure.erasure_id, "requested_at_ms": erasure.requested_at_ms}
    return json_reply(body, 202, {"location": f"/v1/erasures/{erasure.erasure_id}"})


async def get_receipt(request: Request) -> Response:
    """Answer with what was removed where."""
    erasure_id = checked_text("erasure_id", request.path_params["erasure_id"])
    receipt = await services(request).store.receipt(erasure_id)
    if receipt is None:
        problem = "names no erasure that was carried out (yet)"
        return error_reply(ContractError("erasure_id", problem, 404))
    return json_reply(pack_receipt(receipt))


ENDPOINTS = (
    Endpoint(
        method="DELETE",
        path="/v1/users/{user_id}",
        handler=erase_user,
        summary="Ask that a user be forgotten.",
        answers=answers(
            s202="the log has the request; `Location` is where the receipt will be",
            s503="the log does not answer: ask again",
        ),
        returns=Body((JSON,), "ErasureAsked"),
    ),
    Endpoint(
        method="GET",
        path="/v1/erasures/{erasure_id}",
        handler=get_receipt,
        summary="The receipt of an erasure.",
        answers=answers(s200="what was removed where", s404="not carried out, or not yet"),
        returns=Body((JSON,), "ErasureReceipt"),
    ),
)
