"""The origin's HTTP API: one file per resource, each with its ``ENDPOINTS``."""

from origin.http.routes import (
    edge,
    erasures,
    events,
    health,
    items,
    media,
    models,
    ops,
    policy,
    recommendations,
)
from origin.http.routes.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *recommendations.ENDPOINTS,
    *events.ENDPOINTS,
    *edge.ENDPOINTS,
    *policy.ENDPOINTS,
    *models.ENDPOINTS,
    *items.ENDPOINTS,
    *erasures.ENDPOINTS,
    *media.ENDPOINTS,
    *ops.ENDPOINTS,
    *health.ENDPOINTS,
)
