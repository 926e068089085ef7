"""The answer: a flight's scored candidates become a slate, a slate becomes JSON."""

import json

from attune.context import Context
from attune.contract.bundle import Bundle
from attune.contract.policy import PolicySnapshot
from attune.contract.recommendation import RecommendationRequest, Slate, Versions, pack_slate
from attune.recommend import decided, fallback_scores, prepared
from edge_worker.flight import Flight
from edge_worker.model import read_scores

STATIC_ITEMS = 12


def decided_slate(
    flight: Flight, scores: bytes | None, policy: PolicySnapshot, epsilon: float
) -> tuple[Slate | None, str]:
    """Return the slate, and who ranked it: "model", or "linear" without usable scores.

    None where the flight found no bundle to decide from.
    """
    ready, standing = flight.ready, flight.standing
    if ready is None or standing is None:
        return None, "none"
    values = read_scores(scores, len(ready.eligible))
    slate = decided(
        ready,
        fallback_scores(ready) if values is None else values,
        policy,
        epsilon,
        standing.rung,
        flight.slate_id,
        flight.seed,
    )
    return slate, "linear" if values is None else "model"


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
    scores = fallback_scores(ready)
    return slate_json(decided(ready, scores, policy, 0.0, "static", "static", 0))


def slate_json(slate: Slate) -> bytes:
    """Return the answer's body."""
    return json.dumps(pack_slate(slate), ensure_ascii=False, separators=(",", ":")).encode()
