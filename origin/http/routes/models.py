"""Models for the edge, which loads them while it serves."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from attune.contract.decode import ContractError
from origin.http.routes.endpoint import JSON, Body, Endpoint, answers, services
from origin.http.routes.policy import known_tags
from origin.http.routes.replies import error_reply

IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable"}
"""A graph's address is its content's hash."""


async def manifest(request: Request) -> Response:
    """Answer with the edge scorer's manifest, or 304 to those who have it."""
    model = await asyncio.to_thread(services(request).models.current)
    if model is None:
        return _missing("there is no edge scorer; train one with `attune train models`")
    headers = {"etag": model.tag, "cache-control": "no-cache"}
    if model.tag in known_tags(request):
        return Response(status_code=304, headers=headers)
    return Response(model.manifest, 200, headers, JSON)


async def graph(request: Request) -> Response:
    """Answer with the graph whose hash the address names."""
    model = await asyncio.to_thread(services(request).models.current)
    if model is None or request.path_params["sha256"] != model.sha256:
        return _missing("there is no such graph; ask for the manifest again")
    return Response(model.graph, 200, IMMUTABLE, "application/octet-stream")


def _missing(problem: str) -> Response:
    return error_reply(ContractError("", problem, 404))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/models/edge_scorer",
        handler=manifest,
        summary="The edge scorer's manifest, with a strong entity tag.",
        answers=answers(s200="the manifest", s304="the client has it", s404="there is no model"),
        returns=Body((JSON,), "ModelManifest"),
    ),
    Endpoint(
        method="GET",
        path="/v1/models/edge_scorer/{sha256}.onnx",
        handler=graph,
        summary="The edge scorer's graph; it never changes under its address.",
        answers=answers(s200="the graph", s404="it is not the current one"),
        returns=Body(("application/octet-stream",)),
    ),
)
