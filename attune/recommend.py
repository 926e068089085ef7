"""From a cached bundle to a slate, in two pure steps with the scorer's run between them.

``prepared`` works out the session's state and the scorer's inputs; whoever owns the ONNX session
runs it; ``decided`` makes the slate. The edge (Pyodide) and the origin (CPython) call the same two.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

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
from attune.features import edge_feature_rows
from attune.posterior import Beta
from attune.quantisation import dot, integers, length
from attune.session import SessionState, session_state
from attune.slate import Choice, Option, Rules, assembled, exploration_rate

BECAUSE_COSINE_MIN = 0.35
"""An item is said to stand there because of a recent one from this cosine on."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that is ready to be scored.

    ``eligible`` are the candidates' indices that may be shown; ``rows`` holds one float32 feature
    row for each of them, in that order.
    """

    request: RecommendationRequest
    bundle: Bundle
    session: SessionState
    eligible: tuple[int, ...]
    rows: array[float]


def prepared(
    request: RecommendationRequest, bundle: Bundle, policy: PolicySnapshot, now_ms: int
) -> Prepared:
    """Return the session's state and the scorer's inputs; without consent, no session is used."""
    recent = request.recent if request.consent.allows_events else ()
    session = session_state(bundle, recent, now_ms, policy.embedding_rule)
    hidden = {*bundle.seen, *request.exclude, *(item.item_id for item in recent)}
    eligible = tuple(
        index for index, item_id in enumerate(bundle.candidates.item_ids) if item_id not in hidden
    )
    if len(eligible) < request.n:
        # A slate is never empty while there are candidates: repeats beat nothing.
        eligible = _refilled(eligible, bundle, request)
    rows = edge_feature_rows(bundle, session, request.context, eligible)
    return Prepared(request, bundle, session, eligible, rows)


def _refilled(
    eligible: tuple[int, ...], bundle: Bundle, request: RecommendationRequest
) -> tuple[int, ...]:
    """Return the eligible candidates and, behind them, those hidden but not excluded by request."""
    excluded = set(request.exclude)
    taken = set(eligible)
    spare = (
        index
        for index, item_id in enumerate(bundle.candidates.item_ids)
        if index not in taken and item_id not in excluded
    )
    return (*eligible, *list(spare)[: request.n - len(eligible)])


def fallback_scores(ready: Prepared) -> array[float]:
    """Return scores without the scorer: the bundle's base scores, raised by session similarity.

    The cheaper answer when the model is missing or late; linear, and in [0, 1] like the model's.
    """
    candidates, session = ready.bundle.candidates, ready.session
    scores = array("f")
    for index in ready.eligible:
        similarity = 0.0
        if session.length > 0.0:
            code = integers(candidates.embedding(index))
            own = length(code)
            if own > 0.0:
                similarity = dot(code, session.code) / (own * session.length)
        scores.append(min(max(candidates.base_scores[index] * (1.0 + 0.5 * similarity), 0.0), 1.0))
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
    options = _options(ready, scores, policy)
    choices = assembled(options, request.n, rules, seed)
    bases = {option.index: option.base for option in options}
    return Slate(
        slate_id=slate_id,
        surface=request.surface,
        consent=request.consent,
        items=tuple(
            _slate_item(ready, choice, position, bases[choice.index])
            for position, choice in enumerate(choices)
        ),
        degraded=degraded,
        versions=Versions(bundle.version, policy.version, bundle.model_version),
        epsilon=epsilon,
        exploration_rate=exploration_rate(choices),
        session_shift=ready.session.shift,
        seed=seed,
    )


def _options(ready: Prepared, scores: Sequence[float], policy: PolicySnapshot) -> list[Option]:
    candidates = ready.bundle.candidates
    fresher = policy.posteriors.get(bandit_bucket(ready.request.context), {})
    options: list[Option] = []
    for index, score in zip(ready.eligible, scores, strict=True):
        alpha_beta = fresher.get(candidates.item_ids[index])
        alpha, beta = alpha_beta or (candidates.alpha[index], candidates.beta[index])
        options.append(
            Option(
                index=index,
                base=score,
                belief=Beta(alpha, beta),
                code=integers(candidates.embedding(index)),
                exposures=ready.bundle.exposures[index],
            )
        )
    return options


def _slate_item(ready: Prepared, choice: Choice, position: int, base: float) -> SlateItem:
    candidates = ready.bundle.candidates
    why, because = _reason(ready, choice)
    return SlateItem(
        item_id=candidates.item_ids[choice.index],
        position=position,
        score=choice.score,
        base_score=base,
        propensity=choice.propensity,
        explored=choice.explored,
        why=why,
        because=because,
        card=candidates.cards[choice.index],
    )


def _reason(ready: Prepared, choice: Choice) -> tuple[Why, str | None]:
    """Return why the item stands there: exploration, a recent item like it, or its source."""
    if choice.explored:
        return "explore", None
    code = integers(ready.bundle.candidates.embedding(choice.index))
    own = length(code)
    best: tuple[float, str | None] = (BECAUSE_COSINE_MIN, None)
    for anchor in ready.session.anchors:
        if own == 0.0 or anchor.length == 0.0:
            continue
        similarity = dot(code, anchor.code) / (own * anchor.length)
        if similarity > best[0]:
            best = (similarity, anchor.item_id)
    if best[1] is not None:
        return "session", best[1]
    source = ready.bundle.candidates.sources[choice.index]
    return cast("Why", source), None
