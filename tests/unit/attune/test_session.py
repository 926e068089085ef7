"""The session: clicks draw the next slate, dismissals push it away, nothing counts twice."""

from array import array

import pytest

from attune.consent import Consent
from attune.contract.bundle import Bundle, Candidates, Recents
from attune.contract.event import Action
from attune.contract.recommendation import Card, RecentInteraction
from attune.embedding import EmbeddingRule, cosine, normalised, updated_embedding
from attune.quantisation import dot, integers, quantised
from attune.session import session_state

RULE = EmbeddingRule()
NOW_MS = 1_000_000


def axis(place: int) -> bytes:
    return quantised([1.0 if index == place else 0.0 for index in range(64)])


def bundle(user: list[float], covers_until_ms: int = 0) -> Bundle:
    """Return a bundle of two candidates, on the first two axes."""
    ones = array("f", [1.0, 1.0])
    return Bundle(
        version="b1",
        user_id="u1",
        consent=Consent.FULL,
        surface="home",
        degraded="full",
        created_at_ms=0,
        fresh_ms=1,
        stale_ms=2,
        covers_until_ms=covers_until_ms,
        policy_version=1,
        model_version="m1",
        user_embedding=array("f", user),
        user_interactions=5,
        seen=(),
        exposures=bytes(2),
        recents=Recents(),
        candidates=Candidates(
            item_ids=("a", "b"),
            cards=(Card("A", "shoes"), Card("B", "lamps")),
            sources=("trending", "trending"),
            embeddings=axis(0) + axis(1),
            base_scores=ones,
            feature_names=(),
            features=array("f"),
            alpha=ones,
            beta=ones,
        ),
    )


def did(item_id: str, action: Action, at_ms: int = NOW_MS) -> tuple[RecentInteraction, ...]:
    return (RecentInteraction(item_id, action, at_ms),)


SOMEONE = normalised([1.0, 1.0] + [0.0] * 62)


def likes(code: bytes, item: bytes) -> int:
    return dot(integers(code), integers(item))


def test_a_click_moves_the_user_and_becomes_an_anchor() -> None:
    before = session_state(bundle(SOMEONE), (), NOW_MS, RULE)
    after = session_state(bundle(SOMEONE), did("a", "click"), NOW_MS, RULE)
    assert after.shift > before.shift == 0.0
    assert likes(after.code, axis(0)) > likes(after.code, axis(1))
    assert [anchor.item_id for anchor in after.anchors] == ["a"]


def test_a_dismissal_pushes_away_and_is_no_anchor() -> None:
    after = session_state(bundle(SOMEONE), did("a", "dismiss"), NOW_MS, RULE)
    assert likes(after.code, axis(0)) < likes(after.code, axis(1))
    assert after.anchors == ()


def test_what_the_bundle_has_seen_moves_nothing_again_but_still_explains() -> None:
    known = bundle(SOMEONE, covers_until_ms=NOW_MS)
    after = session_state(known, did("a", "click"), NOW_MS, RULE)
    assert after.shift == 0.0
    assert [anchor.item_id for anchor in after.anchors] == ["a"]


def test_an_item_that_the_bundle_cannot_place_is_passed_over() -> None:
    after = session_state(bundle(SOMEONE), did("elsewhere", "purchase"), NOW_MS, RULE)
    assert after.shift == 0.0
    assert after.anchors == ()
    assert after.code == quantised(SOMEONE)


def test_the_session_s_steps_are_those_of_the_embedding_s_rule() -> None:
    actions: list[Action] = ["click", "dismiss", "purchase", "view"]
    recent = tuple(
        RecentInteraction(item_id, action, NOW_MS - 60_000 * place)
        for place, (item_id, action) in enumerate(zip("abba", actions, strict=True))
    )
    expected = SOMEONE
    for place, done in enumerate(recent):
        item = normalised(integers(axis("ab".index(done.item_id))))
        expected = updated_embedding(expected, item, done.action, place / 60, 5 + place, RULE)
    after = session_state(bundle(SOMEONE), recent, NOW_MS, RULE)
    assert after.code == quantised(expected)
    assert after.shift == pytest.approx(1.0 - cosine(SOMEONE, expected))
