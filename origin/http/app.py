"""The origin as an ASGI application: routes, errors, counting, opening and closing."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypedDict

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attune.contract.decode import ContractError
from origin.http.routes import ENDPOINTS
from origin.http.routes.endpoint import services
from origin.http.routes.replies import error_reply, unavailable_reply
from origin.http.services import Services
from origin.storage.port import StoreUnavailableError

logger = logging.getLogger("attune.origin")

OpenServices = Callable[[], AbstractAsyncContextManager[Services]]


class State(TypedDict):
    """What the lifespan gives to every request."""

    services: Services


def application(open_services: OpenServices) -> Starlette:
    """Return the application; it opens its services when the server starts it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        async with open_services() as opened:
            yield {"services": opened}

    app = Starlette(
        routes=[
            Route(endpoint.path, endpoint.handler, methods=[endpoint.method])
            for endpoint in ENDPOINTS
        ],
        exception_handlers={
            ContractError: on_broken_contract,
            StoreUnavailableError: on_store_away,
            HTTPException: on_http_error,
            ClientDisconnect: on_disconnect,
            Exception: on_defect,
        },
        lifespan=lifespan,
    )
    app.add_middleware(Counting)
    return app


async def on_broken_contract(request: Request, error: Exception) -> Response:
    """Answer that the sender broke the contract, and where."""
    assert isinstance(error, ContractError)
    return error_reply(error)


async def on_store_away(request: Request, error: Exception) -> Response:
    """Answer that the store is away; slates and bundles never get here."""
    logger.warning("The store is away: %s", error, extra={"action": "store_away"})
    return unavailable_reply("the store does not answer; try again")


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer for paths and methods that do not exist."""
    assert isinstance(error, HTTPException)
    return error_reply(ContractError("", error.detail, error.status_code), error.headers)


async def on_disconnect(request: Request, error: Exception) -> Response:
    """Answer nobody: the client left in the middle of its request."""
    return error_reply(ContractError("", "the body ended early"))


async def on_defect(request: Request, error: Exception) -> Response:
    """Answer for a fault of ours: the one place that catches everything."""
    logger.error("A request failed through a defect.", extra={"action": "defect"}, exc_info=error)
    services(request).metrics.saw_defect()
    return error_reply(ContractError("", "the origin failed; it has been logged", 500))


class Counting:
    """Counts every answer by route and status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and look at the answer's status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            opened: Services = scope["state"]["services"]
            opened.metrics.saw_request(_route(scope), status, time.perf_counter() - started)


def _route(scope: Scope) -> str:
    """Return the route's pattern: paths hold ids, which must not become label values."""
    endpoint = scope.get("endpoint")
    return PATHS.get(endpoint, "unknown") if callable(endpoint) else "unknown"


PATHS: Mapping[object, str] = {endpoint.handler: endpoint.path for endpoint in ENDPOINTS}
