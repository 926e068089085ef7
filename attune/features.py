"""The edge scorer's inputs: one row of float32 for each candidate."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from attune.context import CONTEXT_FEATURES, Context, context_vector
from attune.contract.bundle import Bundle
from attune.contract.decode import ContractError
from attune.quantisation import dot, integers, length
from attune.session import SessionState

FEATURE_VERSION = 1

CANDIDATE_FEATURES = ("log_popularity_1h", "log_popularity_1d", "log_popularity_7d", "log_age_days")
"""What the origin puts into a bundle for every candidate."""

SESSION_FEATURES = (
    "base_logit",
    "user_cosine",
    "anchor_cosine",
    "latest_cosine",
    "category_share",
    "log_interactions",
)
"""What is worked out from the bundle and the session at request time."""

EDGE_FEATURES = (*SESSION_FEATURES, *CANDIDATE_FEATURES, *CONTEXT_FEATURES)


def edge_feature_rows(
    bundle: Bundle,
    session: SessionState,
    context: Context,
    eligible: Sequence[int],
) -> array[float]:
    """Return len(eligible) rows of ``EDGE_FEATURES``, row-major.

    Raises:
        ContractError: when the bundle's columns are not ``CANDIDATE_FEATURES``.
    """
    candidates = bundle.candidates
    if candidates.feature_names != CANDIDATE_FEATURES:
        raise ContractError("feature_names", f"must be {', '.join(CANDIDATE_FEATURES)}")
    width = len(CANDIDATE_FEATURES)
    tail = context_vector(context)
    experience = math.log1p(session.interactions)
    rows = array("f")
    for index in eligible:
        rows.extend(_session_features(bundle, session, index))
        rows.append(experience)
        rows.extend(candidates.features[index * width : (index + 1) * width])
        rows.extend(tail)
    return rows


def _session_features(
    bundle: Bundle, session: SessionState, index: int
) -> tuple[float, float, float, float, float]:
    candidates = bundle.candidates
    code = integers(candidates.embedding(index))
    own = length(code)
    cosines = [
        dot(code, anchor.code) / (own * anchor.length) if own * anchor.length > 0.0 else 0.0
        for anchor in session.anchors
    ]
    category = candidates.cards[index].category
    same = sum(1 for anchor in session.anchors if category and anchor.category == category)
    user = dot(code, session.code) / (own * session.length) if own * session.length > 0.0 else 0.0
    return (
        _logit(candidates.base_scores[index]),
        user,
        max(cosines, default=0.0),
        cosines[0] if cosines else 0.0,
        same / len(session.anchors) if session.anchors else 0.0,
    )


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-6), 1.0 - 1e-6)
    return math.log(bounded / (1.0 - bounded))
