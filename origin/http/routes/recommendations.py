"""Slates for browsers and candidate bundles for the edge."""

import secrets
import uuid
from dataclasses import replace
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from attune.consent import effective_consent
from attune.contract.bundle import BundleRequest, pack_bundle, read_bundle_request
from attune.contract.recommendation import (
    RecommendationRequest,
    pack_slate,
    read_recommendation_request,
)
from origin.http.routes.bodies import global_privacy_control, json_body, msgpack_body
from origin.http.routes.endpoint import JSON, MSGPACK, Body, Endpoint, answers, services
from origin.http.routes.replies import json_reply, msgpack_reply, server_timing

Asked = TypeVar("Asked", RecommendationRequest, BundleRequest)

REQUEST_BYTES_MAX = 256 * 1024
"""A request with 20 recent items and 200 excluded ones takes some 40 kB."""

SEED_BITS = 31
"""A seed is one positive 32-bit integer in every language that replays it."""


async def recommend(request: Request) -> Response:
    """Answer with a slate."""
    wanted = read_recommendation_request(await json_body(request, REQUEST_BYTES_MAX))
    tier = services(request)
    slate_id, seed = uuid.uuid4().hex, secrets.randbits(SEED_BITS)
    answer = await tier.orchestrator.slate(_capped(request, wanted), tier.now_ms(), slate_id, seed)
    tier.metrics.saw_stages(answer.stages)
    tier.metrics.saw_answer("slate", answer.slate.degraded)
    return json_reply(pack_slate(answer.slate), headers=server_timing(answer.stages))


async def bundle(request: Request) -> Response:
    """Answer with a candidate bundle."""
    wanted = read_bundle_request(await msgpack_body(request, REQUEST_BYTES_MAX))
    tier = services(request)
    answer = await tier.orchestrator.bundle(_capped(request, wanted), tier.now_ms())
    tier.metrics.saw_stages(answer.stages)
    tier.metrics.saw_answer("bundle", answer.bundle.degraded)
    return msgpack_reply(pack_bundle(answer.bundle), server_timing(answer.stages))


def _capped(request: Request, wanted: Asked) -> Asked:
    """Return the request under the consent in force."""
    consent = effective_consent(wanted.consent, global_privacy_control(request))
    if consent is wanted.consent:
        return wanted
    return replace(wanted, consent=consent, user_id=None)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/recommendations",
        handler=recommend,
        summary="A slate for a visitor.",
        answers=answers(s200="the slate", s400="the request breaks the contract", s413="too large"),
        accepts=Body((JSON,), "RecommendationRequest"),
        returns=Body((JSON,), "Slate"),
    ),
    Endpoint(
        method="POST",
        path="/v1/bundle",
        handler=bundle,
        summary="A candidate bundle, from which the edge makes slates.",
        answers=answers(
            s200="the bundle", s400="the request breaks the contract", s413="too large"
        ),
        accepts=Body((MSGPACK,), "BundleRequest"),
        returns=Body((MSGPACK,), "Bundle"),
    ),
)
