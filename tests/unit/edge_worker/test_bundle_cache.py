"""What the bundle cache holds and when it asks for more."""

import random
from dataclasses import replace

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import Bundle, BundleRequest
from attune.contract.recommendation import RecentInteraction, RecommendationRequest
from edge_worker.bundle_cache import ACTIVE_MS, STREAM_DELAY_MS, BundleCache, Found
from tests.parity.states import NOW_MS, random_bundle

REQUEST = RecommendationRequest(
    consent=Consent.FULL,
    user_id="u1",
    session_id="s1",
    surface="home",
    n=6,
    context=Context(),
)


def bundle(created_at_ms: int = NOW_MS, user_id: str = "u1") -> Bundle:
    question = BundleRequest(Consent.FULL, user_id, "home", Context(), candidates_max=20)
    made = random_bundle(question, random.Random(1), created_at_ms, candidates=20)
    return replace(made, covers_until_ms=created_at_ms)


def clicked(at_ms: int) -> RecommendationRequest:
    return replace(REQUEST, recent=(RecentInteraction("item-001", "click", at_ms),))


def test_the_least_recently_used_bundle_leaves_first() -> None:
    cache = BundleCache(entries_max=2)
    for key in ("a", "b"):
        cache.put(key, bundle())
    assert cache.find("a", NOW_MS) is not None
    cache.put("c", bundle())
    assert cache.find("b", NOW_MS) is None
    assert cache.find("a", NOW_MS) is not None
    assert len(cache) == 2


def test_an_older_bundle_never_replaces_a_younger_one() -> None:
    cache = BundleCache()
    cache.put("a", bundle(NOW_MS))
    cache.put("a", bundle(NOW_MS - 1))
    found = cache.find("a", NOW_MS)
    assert found is not None
    assert found.bundle.created_at_ms == NOW_MS


def test_a_fresh_bundle_of_a_quiet_user_is_not_due() -> None:
    assert not BundleCache().is_due(Found(bundle(), "fresh"), REQUEST, NOW_MS)
    assert BundleCache().is_due(Found(bundle(), "stale"), REQUEST, NOW_MS)


def test_an_action_makes_bundles_due_that_the_stream_cannot_have_reached() -> None:
    cache = BundleCache()
    cache.user_acted(["u1"], NOW_MS)
    early = bundle(NOW_MS + STREAM_DELAY_MS - 1)
    late = bundle(NOW_MS + STREAM_DELAY_MS)
    assert cache.is_due(Found(early, "fresh"), REQUEST, NOW_MS + 5_000)
    assert not cache.is_due(Found(late, "fresh"), REQUEST, NOW_MS + 5_000)


def test_an_interaction_that_the_bundle_does_not_know_makes_it_due_for_a_minute() -> None:
    found = Found(bundle(NOW_MS), "fresh")
    cache = BundleCache()
    assert cache.is_due(found, clicked(NOW_MS + 1), NOW_MS + 2)
    assert not cache.is_due(found, clicked(NOW_MS), NOW_MS + 2)
    assert not cache.is_due(found, clicked(NOW_MS + 1), NOW_MS + 1 + ACTIVE_MS)


def test_one_bundle_is_fetched_at_most_every_two_seconds() -> None:
    cache = BundleCache()
    assert cache.may_attempt("a", NOW_MS)
    cache.attempted("a", NOW_MS)
    assert not cache.may_attempt("a", NOW_MS + 1_999)
    assert cache.may_attempt("a", NOW_MS + 2_000)
    assert cache.may_attempt("b", NOW_MS)
