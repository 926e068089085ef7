"""From a cached bundle to a slate, in two pure steps with the scorer's run between them.

``prepared`` works out the session's state and who may be shown; whoever owns the ONNX session runs
it on ``scorer_rows``; ``decided`` makes the slate. The edge (Pyodide) and the origin (CPython)
call the same two.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from attune.columns import Columns, columns_of
from attune.context import bandit_bucket
from attune.contract.bundle import Bundle
from attune.contract.policy import PolicySnapshot
from attune.contract.recommendation import (
    Degradation,
    RecommendationRequest,
    Slate,
    SlateItem,
    Versions,
    Why,
)
from attune.diversity import UNKNOWN
from attune.features import edge_feature_rows
from attune.quantisation import dot, integers
from attune.session import SessionState, session_state
from attune.slate import Choice, Pool, Rules, assembled, exploration_rate

BECAUSE_COSINE_MIN = 0.35
"""An item is said to stand there because of a recent one from this cosine on."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that is ready to be scored.

    ``eligible`` are the places of the candidates that may be shown; scores are in that order.
    """

    request: RecommendationRequest
    bundle: Bundle
    columns: Columns
    session: SessionState
    eligible: list[int]


def prepared(
    request: RecommendationRequest, bundle: Bundle, policy: PolicySnapshot, now_ms: int
) -> Prepared:
    """Return the session's state and who may be shown; without consent, no session is used."""
    recent = request.recent if request.consent.allows_events else ()
    columns = columns_of(bundle)
    session = session_state(bundle, recent, now_ms, policy.embedding_rule)
    return Prepared(request, bundle, columns, session, _eligible(request, bundle, columns))


def _eligible(request: RecommendationRequest, bundle: Bundle, columns: Columns) -> list[int]:
    """Return the candidates that may be shown, the best first.

    What the request excludes, has on an earlier page or filters out stays away whatever happens.
    What the user has seen is only put last: a slate is never empty while there are candidates, and
    repeats beat nothing.
    """
    known = columns.places
    allowed: Sequence[int] = range(len(columns.places))
    barred = {known[item] for item in (*request.exclude, *request.after) if item in known}
    if request.categories:
        allowed = columns.of_categories(request.categories)
    seen = {known[item] for item in bundle.seen if item in known}
    if request.consent.allows_events:
        seen |= {known[each.item_id] for each in request.recent if each.item_id in known}
    hidden = barred | seen
    eligible = [index for index in allowed if index not in hidden] if hidden else list(allowed)
    missing = request.n - len(eligible)
    if missing > 0:
        spare = [index for index in allowed if index in seen and index not in barred]
        eligible += spare[:missing]
    return eligible


def scorer_rows(ready: Prepared) -> array[float]:
    """Return the scorer's inputs: a row of ``EDGE_FEATURES`` for each eligible candidate."""
    return edge_feature_rows(ready.bundle, ready.session, ready.request.context, ready.eligible)


def fallback_scores(ready: Prepared) -> list[float]:
    """Return scores without the scorer: the bundle's base scores, raised by session similarity.

    The cheaper answer when the model is missing or late; linear, and in [0, 1] like the model's.
    """
    session, similarities = ready.session, ready.columns.similarities
    user = integers(session.code)
    bases = ready.bundle.candidates.base_scores
    scores: list[float] = []
    for index in ready.eligible:
        lengths = similarities.lengths[index] * session.length
        raised = bases[index]
        if lengths > 0.0:
            raised *= 1.0 + 0.5 * dot(similarities.codes[index], user) / lengths
        scores.append(min(max(raised, 0.0), 1.0))
    return scores


def decided(
    ready: Prepared,
    scores: Sequence[float],
    policy: PolicySnapshot,
    epsilon: float,
    degraded: Degradation,
    slate_id: str,
    seed: int,
) -> Slate:
    """Return the slate.

    Args:
        ready: what ``prepared`` returned.
        scores: one probability for each eligible candidate.
        policy: the snapshot in force.
        epsilon: weight of the sampled part, as the exploration controller steers it.
        degraded: the rung of the ladder that the bundle stands on.
        slate_id: the new slate's id.
        seed: of the draw.
    """
    request, bundle = ready.request, ready.bundle
    rules = Rules(epsilon, policy.diversity, policy.exposure_discount, policy.exploration.high)
    bucket = bandit_bucket(request.context)
    pool = Pool(
        eligible=ready.eligible,
        bases=scores,
        beliefs=ready.columns.beliefs(bucket, policy.posteriors.get(bucket)),
        similarities=ready.columns.similarities,
        exposures=bundle.exposures,
    )
    choices = assembled(pool, request.n, rules, seed)
    bases = dict(zip(ready.eligible, scores, strict=True))
    return Slate(
        slate_id=slate_id,
        surface=request.surface,
        consent=request.consent,
        items=tuple(
            _slate_item(ready, choice, position, bases[choice.place])
            for position, choice in enumerate(choices)
        ),
        degraded=degraded,
        versions=Versions(bundle.version, policy.version, bundle.model_version),
        epsilon=epsilon,
        exploration_rate=exploration_rate(choices),
        session_shift=ready.session.shift,
        seed=seed,
    )


def _slate_item(ready: Prepared, choice: Choice, position: int, base: float) -> SlateItem:
    candidates = ready.bundle.candidates
    why, because = _reason(ready, choice)
    return SlateItem(
        candidates.item_ids[choice.place],
        position,
        choice.score,
        base,
        choice.propensity,
        choice.explored,
        why,
        because,
        candidates.cards[choice.place],
    )


def _reason(ready: Prepared, choice: Choice) -> tuple[Why, str | None]:
    """Return why the item stands there: exploration, a recent item like it, or its source."""
    if choice.explored:
        return "explore", None
    best: tuple[float, str | None] = (BECAUSE_COSINE_MIN, None)
    columns = ready.columns
    places, (cosines, width) = columns.places, columns.similarities.matrix()
    start = choice.place * width
    for anchor in ready.session.anchors:
        other = places.get(anchor.item_id)
        similarity = UNKNOWN if other is None else cosines[start + other]
        if similarity == UNKNOWN:
            similarity = columns.similarity(choice.place, anchor)
        if similarity > best[0]:
            best = (similarity, anchor.item_id)
    if best[1] is not None:
        return "session", best[1]
    source = ready.bundle.candidates.sources[choice.place]
    return cast("Why", source), None
