"""Which bundle answers, and which rung the answer says it stands on."""

import random
from dataclasses import replace

import pytest

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import Bundle, BundleRequest
from attune.contract.recommendation import RecommendationRequest
from attune.freshness import bundle_key
from edge_worker.bundle_cache import BundleCache, Found
from edge_worker.ladder import RUNGS, fallback, own_standing, worse
from tests.parity.states import NOW_MS, random_bundle

MODEL = "m1"
REQUEST = RecommendationRequest(
    consent=Consent.FULL,
    user_id="u1",
    session_id="s1",
    surface="home",
    n=6,
    context=Context(),
)


def shared_bundle(consent: Consent, created_at_ms: int = NOW_MS) -> Bundle:
    question = BundleRequest(consent, None, "home", Context(), candidates_max=20)
    return random_bundle(question, random.Random(1), created_at_ms, candidates=20)


def key(consent: Consent, surface: str = "home") -> str:
    return bundle_key(None, surface, consent, Context(), MODEL)


def test_the_lower_of_two_rungs_is_the_worse() -> None:
    assert [worse(rung, "stale") for rung in RUNGS] == [
        "stale",
        "stale",
        "cohort",
        "popular",
        "static",
    ]


@pytest.mark.parametrize(
    ("label", "age", "rung"),
    [
        ("full", "fresh", "full"),
        ("full", "stale", "stale"),
        ("full", "expired", "stale"),
        ("popular", "stale", "popular"),
        ("a label of the future", "fresh", "popular"),
    ],
)
def test_an_own_bundle_stands_no_higher_than_the_origin_says(
    label: str, age: str, rung: str
) -> None:
    bundle = replace(shared_bundle(Consent.NONE), degraded=label)
    assert own_standing(Found(bundle, age)).rung == rung  # pyright: ignore[reportArgumentType]


def test_the_cohort_comes_before_the_crowd() -> None:
    cache = BundleCache()
    assert fallback(cache, REQUEST, MODEL, NOW_MS) is None
    cache.put(key(Consent.NONE), shared_bundle(Consent.NONE))
    popular = fallback(cache, REQUEST, MODEL, NOW_MS)
    cache.put(key(Consent.COHORT), shared_bundle(Consent.COHORT))
    cohort = fallback(cache, REQUEST, MODEL, NOW_MS)
    assert popular is not None
    assert popular.rung == "popular"
    assert cohort is not None
    assert cohort.rung == "cohort"


def test_without_consent_the_cohort_is_passed_over() -> None:
    cache = BundleCache()
    cache.put(key(Consent.COHORT), shared_bundle(Consent.COHORT))
    assert fallback(cache, replace(REQUEST, consent=Consent.NONE), MODEL, NOW_MS) is None


def test_past_its_time_the_popular_bundle_is_the_last_known_good() -> None:
    cache = BundleCache()
    cache.put(key(Consent.NONE), shared_bundle(Consent.NONE, NOW_MS - 4_000_000))
    standing = fallback(cache, REQUEST, MODEL, NOW_MS)
    assert standing is not None
    assert standing.rung == "static"


def test_another_surface_s_bundle_is_not_served() -> None:
    cache = BundleCache()
    cache.put(key(Consent.NONE, "detail"), shared_bundle(Consent.NONE))
    assert fallback(cache, REQUEST, MODEL, NOW_MS) is None
