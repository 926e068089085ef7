"""The policy snapshot, which the edge decides with."""

from starlette.requests import Request
from starlette.responses import Response

from attune.contract.policy import pack_policy
from origin.http.routes.endpoint import MSGPACK, Body, Endpoint, answers, services
from origin.http.routes.replies import msgpack_reply


async def snapshot(request: Request) -> Response:
    """Answer with the snapshot, or 304 to those who have it."""
    tier = services(request)
    policy = (await tier.policy.current(tier.now_ms())).snapshot
    headers = {"etag": f'"{policy.version}"', "cache-control": "no-cache"}
    if headers["etag"] in known_tags(request):
        return Response(status_code=304, headers=headers)
    return msgpack_reply(pack_policy(policy), headers)


def known_tags(request: Request) -> list[str]:
    """Return the entity tags that the client has, without the sign of weak ones."""
    stated = request.headers.get("if-none-match", "").split(",")
    return [tag.strip().removeprefix("W/") for tag in stated]


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/policy",
        handler=snapshot,
        summary="The policy in force, with a strong entity tag.",
        answers=answers(s200="the snapshot", s304="the client has it"),
        returns=Body((MSGPACK,), "PolicySnapshot"),
    ),
)
