"""The edge scorer's inputs: one row of float32 for each candidate."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from attune.columns import KnownItem, columns_of
from attune.context import CONTEXT_FEATURES, Context, context_vector
from attune.contract.bundle import Bundle
from attune.contract.decode import ContractError
from attune.quantisation import dot, integers
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
    bundle: Bundle, session: SessionState, context: Context, places: Sequence[int]
) -> array[float]:
    """Return a row of ``EDGE_FEATURES`` for each of the candidates' places, row-major.

    Raises:
        ContractError: when the bundle's columns are not ``CANDIDATE_FEATURES``.
    """
    candidates, width = bundle.candidates, len(CANDIDATE_FEATURES)
    if candidates.feature_names != CANDIDATE_FEATURES:
        raise ContractError("feature_names", f"must be {', '.join(CANDIDATE_FEATURES)}")
    similarities = columns_of(bundle).similarities
    tail = context_vector(context)
    experience = math.log1p(session.interactions)
    anchors = session.anchors
    user = integers(session.code)
    rows = array("f")
    for index in places:
        code, own = similarities.codes[index], similarities.lengths[index]
        cosines = [_cosine(code, own, item.numbers, item.length) for item in anchors]
        rows.append(base_logit(candidates.base_scores[index]))
        rows.append(_cosine(code, own, user, session.length))
        rows.append(max(cosines, default=0.0))
        rows.append(cosines[0] if cosines else 0.0)
        rows.append(_category_share(candidates.cards[index].category, anchors))
        rows.append(experience)
        rows.extend(candidates.features[index * width : (index + 1) * width])
        rows.extend(tail)
    return rows


def _cosine(a: Sequence[int], a_length: float, b: Sequence[int], b_length: float) -> float:
    lengths = a_length * b_length
    return dot(a, b) / lengths if lengths > 0.0 else 0.0


def _category_share(category: str, anchors: Sequence[KnownItem]) -> float:
    if not category or not anchors:
        return 0.0
    return sum(1 for anchor in anchors if anchor.category == category) / len(anchors)


def base_logit(probability: float) -> float:
    """Return the log odds of a base score, bounded."""
    bounded = min(max(probability, 1e-6), 1.0 - 1e-6)
    return math.log(bounded / (1.0 - bounded))
