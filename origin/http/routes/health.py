"""Whether the process lives, whether it can serve, what it counted, what it offers."""

import asyncio

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from origin.http.openapi import openapi
from origin.http.routes.endpoint import Body, Endpoint, answers, services
from origin.http.routes.replies import json_reply
from origin.storage.port import StoreUnavailableError

CHECK_DEADLINE_S = 2.0


async def healthz(request: Request) -> Response:
    """Answer that the process lives; it asks nobody."""
    return json_reply({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Answer whether the store and the event log answer."""
    tier = services(request)
    checks = {"store": False, "event_log": False}
    try:
        async with asyncio.timeout(CHECK_DEADLINE_S):
            await tier.store.newest(1)
            checks["store"] = True
            checks["event_log"] = await tier.log.is_open()
    except (TimeoutError, StoreUnavailableError):
        pass
    ready = all(checks.values())
    body = {"status": "ready" if ready else "not ready", "checks": checks}
    return json_reply(body, 200 if ready else 503)


async def metrics(request: Request) -> Response:
    """Answer with the counters, for Prometheus."""
    tier = services(request)
    tier.metrics.explores(tier.policy.exploration)
    tier.metrics.waits_for_the_log(tier.log.spilled)
    text = tier.metrics.exposition()
    return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})


async def description(request: Request) -> Response:
    """Answer with the description of this API."""
    from origin.http.routes import ENDPOINTS as ALL  # loaded here: it contains this file's

    return json_reply(openapi(ALL))


ENDPOINTS = (
    Endpoint("GET", "/healthz", healthz, "Whether the process lives.", answers(s200="it does"),
             returns=Body(("application/json",), "Health")),
    Endpoint("GET", "/readyz", readyz, "Whether it can serve.",
             answers(s200="it can", s503="the store or the event log does not answer"),
             returns=Body(("application/json",), "Health")),
    Endpoint("GET", "/metrics", metrics, "Counters for Prometheus.", answers(s200="the counters"),
             returns=Body(("text/plain",))),
    Endpoint("GET", "/openapi.json", description, "This description.", answers(s200="it")),
)  # fmt: skip
