"""An overview for people who look after the product."""

from starlette.requests import Request
from starlette.responses import Response

from origin.event_log import EVENTS
from origin.event_log.port import LogUnavailableError
from origin.http.routes.endpoint import JSON, Body, Endpoint, answers, services
from origin.http.routes.replies import json_reply
from origin.http.services import Services

TOP_POSTERIORS = 20


async def overview(request: Request) -> Response:
    """Answer with what is stored, how far the processors are, and what is explored."""
    tier = services(request)
    counts = await tier.counts.get()
    policy = await tier.policy.current(tier.now_ms())
    exploration = tier.policy.exploration
    shown = await tier.store.policy_counts(TOP_POSTERIORS)
    lag, appended = await _lag(tier)
    body = {
        "now_ms": tier.now_ms(),
        "items": counts.items,
        "items_with_embedding": counts.items_with_embedding,
        "users": counts.users,
        "interactions": counts.interactions,
        "impressions": counts.impressions,
        "dead_letters": counts.dead_letters,
        "events_appended": appended,
        "lag": lag,
        "policy_version": policy.snapshot.version,
        "epsilon": exploration.epsilon,
        "exploration_rate": exploration.rate,
        "exploration_low": policy.snapshot.exploration.low,
        "exploration_high": policy.snapshot.exploration.high,
        "posteriors": [
            {
                "item_id": count.item_id,
                "bucket": count.bucket,
                "impressions": count.impressions,
                "reward": count.reward,
            }
            for count in shown
        ],
    }
    return json_reply(body)


async def _lag(tier: Services) -> tuple[dict[str, int] | None, int | None]:
    """Return the events that each group has still to read, and all that were ever appended."""
    try:
        ends = await tier.log.end_offsets(EVENTS)
    except LogUnavailableError:
        return None, None
    groups = await tier.store.group_offsets(EVENTS)
    lag = {
        group: sum(max(end - offsets.get(partition, 0), 0) for partition, end in ends.items())
        for group, offsets in groups.items()
    }
    return lag, sum(ends.values())


ENDPOINTS = (
    Endpoint("GET", "/v1/ops/overview", overview, "What is stored, learned and explored.",
             answers(s200="the overview"), returns=Body((JSON,), "Overview")),
)  # fmt: skip
