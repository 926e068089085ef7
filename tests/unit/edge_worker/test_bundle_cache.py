"""What the bundle cache holds and when it asks for more."""

import random
from dataclasses import replace

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import Bundle, BundleRequest
from attune.contract.recommendation import RecentInteraction, RecommendationRequest
from edge_worker.attempts import (
    FAILED_PAUSE_MAX_MS,
    FAILED_PAUSE_MS,
    KEYS_MAX,
    REFRESH_PAUSE_MS,
    REFUSED_PAUSE_MS,
    Attempts,
)
from edge_worker.bundle_cache import (
    ACTIVE_MS,
    ACTIVE_PAUSE_MS,
    DECODED_FACTOR,
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
    cache = BundleCache(bytes_max=2_000 * DECODED_FACTOR)
    for key in ("a", "b"):
        cache.put(key, bundle(), 1_000)
    assert cache.find("a", NOW_MS) is not None
    cache.put("c", bundle(), 1_000)
    assert cache.find("b", NOW_MS) is None
    assert cache.find("a", NOW_MS) is not None
    assert len(cache) == 2
    cache.put("a", bundle(NOW_MS + 1), 1_500)
    assert cache.find("c", NOW_MS) is None
    assert cache.bytes_held == 1_500 * DECODED_FACTOR


def test_one_bundle_is_held_however_large_it_is() -> None:
    cache = BundleCache(bytes_max=10)
    cache.put("a", bundle(), 1_000)
    cache.put("b", bundle(), 1_000)
    assert cache.find("b", NOW_MS) is not None
    assert len(cache) == 1


def test_an_older_bundle_never_replaces_a_younger_one() -> None:
    cache = BundleCache()
    cache.put("a", bundle(NOW_MS), 10)
    cache.put("a", bundle(NOW_MS - 1), 10)
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


def test_an_item_that_the_bundle_cannot_place_renews_it_though_the_user_went_on_elsewhere() -> None:
    cache = BundleCache()
    elsewhere = replace(bundle(NOW_MS), covers_until_ms=NOW_MS + 9_000)
    found = Found(elsewhere, "fresh")
    assert cache.refresh_pause_ms(found, clicked(NOW_MS + 5_000), NOW_MS + 6_000) == ACTIVE_PAUSE_MS
    assert cache.refresh_pause_ms(found, clicked(NOW_MS - 1), NOW_MS + 6_000) is None


def test_refreshes_of_one_bundle_keep_their_distance() -> None:
    attempts = Attempts()
    assert attempts.may_start("a", NOW_MS)
    attempts.started("a", NOW_MS)
    assert not attempts.may_start("a", NOW_MS + 1_999)
    assert attempts.may_start("a", NOW_MS + 2_000)
    assert attempts.may_start("a", NOW_MS + ACTIVE_PAUSE_MS, ACTIVE_PAUSE_MS)
    assert attempts.may_start("b", NOW_MS)


def test_a_bundle_that_the_origin_failed_is_let_alone_longer_and_longer() -> None:
    attempts = Attempts()
    now_ms = NOW_MS
    for pause_ms in (FAILED_PAUSE_MS, 2 * FAILED_PAUSE_MS, 4 * FAILED_PAUSE_MS):
        attempts.failed("a", now_ms)
        assert attempts.is_hopeless("a", now_ms + pause_ms - 1)
        assert not attempts.is_hopeless("a", now_ms + pause_ms)
        assert not attempts.is_hopeless("b", now_ms)
        now_ms += pause_ms
    for _ in range(50):
        attempts.failed("a", now_ms)
    assert not attempts.may_start("a", now_ms + FAILED_PAUSE_MAX_MS - 1)
    assert attempts.may_start("a", now_ms + FAILED_PAUSE_MAX_MS)
    attempts.succeeded("a")
    assert not attempts.is_hopeless("a", now_ms)


def test_a_bundle_that_the_origin_refused_is_let_alone_at_once_but_not_for_ever() -> None:
    attempts = Attempts()
    attempts.failed("a", NOW_MS, refused=True)
    assert not attempts.may_start("a", NOW_MS + REFUSED_PAUSE_MS - 1, 0)
    assert attempts.may_start("a", NOW_MS + REFUSED_PAUSE_MS, 0)


def test_attempts_are_remembered_for_a_bounded_number_of_bundles() -> None:
    attempts = Attempts()
    for number in range(KEYS_MAX + 10):
        attempts.started(f"{number}", NOW_MS)
        attempts.failed(f"{number}", NOW_MS)
    assert attempts.may_start("9", NOW_MS)
    assert not attempts.may_start("10", NOW_MS)
    assert len(attempts) == KEYS_MAX
