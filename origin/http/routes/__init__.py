"""The origin's HTTP API: one file per resource, each with its ``ENDPOINTS``."""

from origin.http.routes import events, health, items, media, ops, policy, recommendations
from origin.http.routes.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *recommendations.ENDPOINTS,
    *events.ENDPOINTS,
    *policy.ENDPOINTS,
    *items.ENDPOINTS,
    *media.ENDPOINTS,
    *ops.ENDPOINTS,
    *health.ENDPOINTS,
)
