"""Replies: JSON and msgpack bodies, errors that name the field, stage timings as a header."""

import json
import math
from collections.abc import Mapping

from starlette.responses import Response

from attune.contract.decode import ContractError
from origin.http.routes.endpoint import JSON, MSGPACK
from origin.packing import packed
from origin.stage import StageOutcome

RETRY_AFTER_SECONDS = 2


def json_reply(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON answer."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(body.encode(), status, headers, JSON)


def msgpack_reply(value: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return a msgpack answer."""
    return Response(packed(value), 200, headers, MSGPACK)


def error_reply(error: ContractError, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer to a broken contract."""
    return json_reply(error.as_json(), error.status, headers)


def unavailable_reply(problem: str) -> Response:
    """Return the answer while something that we depend on is away."""
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)}
    return error_reply(ContractError("", problem, 503), headers)


def server_timing(stages: Mapping[str, StageOutcome[object]]) -> dict[str, str]:
    """Return the header that says how long each stage took, and why one was cheaper."""
    parts = [
        f"{name};dur={math.ceil(outcome.took_ms * 10) / 10}"
        + (f';desc="{outcome.degraded_by}"' if outcome.degraded_by else "")
        for name, outcome in stages.items()
    ]
    return {"server-timing": ", ".join(parts)}
