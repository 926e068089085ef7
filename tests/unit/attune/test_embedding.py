"""The streaming-embedding rule and its quantised form."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.embedding import EmbeddingRule, cosine, normalised, updated_embedding
from attune.quantisation import dot, integers, length, quantised

VECTORS = st.lists(st.floats(-1, 1), min_size=64, max_size=64).map(normalised)
RULE = EmbeddingRule(learning_rate=0.4)


@given(VECTORS, VECTORS, st.sampled_from(["view", "click", "purchase"]), st.floats(0, 100))
def test_an_interaction_never_moves_a_user_away_from_what_they_liked(
    user: list[float], item: list[float], action: str, age_hours: float
) -> None:
    after = updated_embedding(user, item, action, age_hours, 10, RULE)
    assert cosine(after, item) >= cosine(user, item) - 1e-9
    size = math.sqrt(math.fsum(x * x for x in after))
    assert size == pytest.approx(1.0) or size == 0.0


def test_a_dismissal_pushes_away() -> None:
    user, item = normalised([1.0, 1.0]), [0.0, 1.0]
    assert cosine(updated_embedding(user, item, "dismiss", 0, 9, RULE), item) < cosine(user, item)


def test_the_first_interactions_weigh_more_than_the_rate() -> None:
    user, item = [1.0, 0.0], [0.0, 1.0]
    early = updated_embedding(user, item, "click", 0, 1, EmbeddingRule(learning_rate=0.1))
    late = updated_embedding(user, item, "click", 0, 50, EmbeddingRule(learning_rate=0.1))
    assert cosine(early, item) > cosine(late, item)


def test_an_old_event_moves_less_than_a_new_one() -> None:
    user, item = [1.0, 0.0], [0.0, 1.0]
    new = updated_embedding(user, item, "click", 0, 9, RULE)
    old = updated_embedding(user, item, "click", 48, 9, RULE)
    assert cosine(new, item) > cosine(old, item) > cosine(user, item)


def test_an_unknown_action_changes_nothing() -> None:
    assert updated_embedding([0.6, 0.8], [1.0, 0.0], "hover", 0, 9, RULE) == [0.6, 0.8]


@given(VECTORS, VECTORS)
def test_quantising_keeps_cosines(a: list[float], b: list[float]) -> None:
    assert not any(quantised([5e-324, 0.0]))
    qa, qb = integers(quantised(a)), integers(quantised(b))
    lengths = length(qa) * length(qb)
    close = dot(qa, qb) / lengths if lengths else 0.0
    # Rounding moves each of 64 components by at most 1/254 of the largest one.
    assert abs(close - cosine(a, b)) < 0.05
