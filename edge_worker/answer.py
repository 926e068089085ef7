"""The answer: a flight's scored candidates become a slate; without any, what stands in for it."""

from __future__ import annotations

from typing import NamedTuple

from attune.context import Context
from attune.contract.bundle import Bundle
from attune.contract.policy import PolicySnapshot
from attune.contract.recommendation import RecommendationRequest, Slate, Versions
from attune.contract.slate_json import slate_json
from attune.recommend import decided, fallback_scores, prepared
from edge_worker.flight import Flight
from edge_worker.model import Scored, read_scored

STATIC_ITEMS = 12


class Decided(NamedTuple):
    """A slate, how it was ranked ("model", or "linear" without a usable answer), and by what."""

    slate: Slate
    scorer: str
    scored: Scored | None


def decided_slate(
    flight: Flight, answer: bytes, policy: PolicySnapshot, epsilon: float
) -> Decided | None:
    """Return what the flight decides with the scorer's answer; None without a bundle."""
    ready, standing = flight.ready, flight.standing
    if ready is None or standing is None:
        return None
    scored = read_scored(answer, len(ready.columns.places))
    if scored is None:
        scores = fallback_scores(ready)
    else:
        scores = [scored.scores[place] for place in ready.eligible]
    slate = decided(ready, scores, policy, epsilon, standing.rung, flight.slate_id, flight.seed)
    return Decided(slate, "linear" if scored is None else "model", scored)


def empty_slate(
    flight: Flight, policy: PolicySnapshot, epsilon: float, model_version: str
) -> Slate:
    """Return the answer of an edge that has never seen a bundle: no item, but no error."""
    return Slate(
        slate_id=flight.slate_id,
        surface=flight.request.surface,
        consent=flight.request.consent,
        items=(),
        degraded="static",
        versions=Versions("none", policy.version, model_version),
        epsilon=epsilon,
        exploration_rate=0.0,
        session_shift=0.0,
        seed=flight.seed,
    )


def last_known_good(bundle: Bundle, policy: PolicySnapshot, now_ms: int) -> bytes:
    """Return the answer to serve on the bundle's surface when nothing works any more."""
    request = RecommendationRequest(
        consent=bundle.consent,
        user_id=None,
        session_id="static",
        surface=bundle.surface,
        n=STATIC_ITEMS,
        context=Context(),
    )
    ready = prepared(request, bundle, policy, now_ms)
    slate = decided(ready, fallback_scores(ready), policy, 0.0, "static", "static", 0)
    return slate_json(slate, ready.columns.cards)
