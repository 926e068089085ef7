"""What the bundle cache holds and when it asks for more."""

import random
from dataclasses import replace

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import Bundle, BundleRequest
from attune.contract.recommendation import RecentInteraction, RecommendationRequest
from edge_worker.bundle_cache import (
    ACTIVE_MS,
    ACTIVE_PAUSE_MS,
    REFRESH_PAUSE_MS,
    STREAM_DELAY_MS,
    BundleCache,
    Found,
)
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


def test_a_fresh_bundle_of_a_quiet_user_is_good_as_it_is() -> None:
    cache = BundleCache()
    assert cache.refresh_pause_ms(Found(bundle(), "fresh"), REQUEST, NOW_MS) is None
    assert cache.refresh_pause_ms(Found(bundle(), "stale"), REQUEST, NOW_MS) == REFRESH_PAUSE_MS


def test_an_action_renews_bundles_that_the_stream_cannot_have_reached() -> None:
    cache = BundleCache()
    cache.user_acted(["u1"], NOW_MS)
    early = Found(bundle(NOW_MS + STREAM_DELAY_MS - 1), "fresh")
    late = Found(bundle(NOW_MS + STREAM_DELAY_MS), "fresh")
    assert cache.refresh_pause_ms(early, REQUEST, NOW_MS + 5_000) == ACTIVE_PAUSE_MS
    assert cache.refresh_pause_ms(late, REQUEST, NOW_MS + 5_000) is None


def test_an_interaction_that_the_bundle_does_not_know_renews_it_for_a_minute() -> None:
    found = Found(bundle(NOW_MS), "fresh")
    cache = BundleCache()
    known, unknown = clicked(NOW_MS), clicked(NOW_MS + 1)
    assert cache.refresh_pause_ms(found, unknown, NOW_MS + 2) == ACTIVE_PAUSE_MS
    assert cache.refresh_pause_ms(found, known, NOW_MS + 2) is None
    assert cache.refresh_pause_ms(found, unknown, NOW_MS + 1 + ACTIVE_MS) is None


def test_refreshes_of_one_bundle_keep_their_distance() -> None:
    cache = BundleCache()
    assert cache.may_attempt("a", NOW_MS)
    cache.attempted("a", NOW_MS)
    assert not cache.may_attempt("a", NOW_MS + 1_999)
    assert cache.may_attempt("a", NOW_MS + 2_000)
    assert cache.may_attempt("a", NOW_MS + ACTIVE_PAUSE_MS, ACTIVE_PAUSE_MS)
    assert cache.may_attempt("b", NOW_MS)
