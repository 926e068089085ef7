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
from edge_worker.known_good import BUNDLES_MAX, KnownGood
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
    assert fallback(cache, KnownGood(), REQUEST, MODEL, NOW_MS) is None
    cache.put(key(Consent.NONE), shared_bundle(Consent.NONE), 10)
    popular = fallback(cache, KnownGood(), REQUEST, MODEL, NOW_MS)
    cache.put(key(Consent.COHORT), shared_bundle(Consent.COHORT), 10)
    cohort = fallback(cache, KnownGood(), REQUEST, MODEL, NOW_MS)
    assert popular is not None
    assert popular.rung == "popular"
    assert cohort is not None
    assert cohort.rung == "cohort"


def test_without_consent_the_cohort_is_passed_over() -> None:
    cache = BundleCache()
    cache.put(key(Consent.COHORT), shared_bundle(Consent.COHORT), 10)
    nobody = replace(REQUEST, consent=Consent.NONE)
    assert fallback(cache, KnownGood(), nobody, MODEL, NOW_MS) is None


def test_past_its_time_the_popular_bundle_is_the_last_known_good() -> None:
    cache = BundleCache()
    cache.put(key(Consent.NONE), shared_bundle(Consent.NONE, NOW_MS - 4_000_000), 10)
    standing = fallback(cache, KnownGood(), REQUEST, MODEL, NOW_MS)
    assert standing is not None
    assert standing.rung == "static"


def test_another_surface_s_bundle_is_not_served() -> None:
    cache = BundleCache()
    cache.put(key(Consent.NONE, "detail"), shared_bundle(Consent.NONE), 10)
    assert fallback(cache, KnownGood(), REQUEST, MODEL, NOW_MS) is None


def popular_of(surface: str, created_at_ms: int = NOW_MS) -> Bundle:
    return replace(shared_bundle(Consent.NONE, created_at_ms), surface=surface)


def test_the_last_known_good_bundle_answers_where_nothing_else_is_left() -> None:
    cache, good = BundleCache(), KnownGood()
    good.offer(popular_of("detail", NOW_MS + 1))
    other = fallback(cache, good, REQUEST, MODEL, NOW_MS)
    assert other is not None
    assert (other.rung, other.bundle.surface) == ("static", "detail")
    good.offer(popular_of("home"))
    good.offer(popular_of("home", NOW_MS - 1))
    own = fallback(cache, good, REQUEST, MODEL, NOW_MS)
    assert own is not None
    assert (own.rung, own.bundle.surface, own.bundle.created_at_ms) == ("static", "home", NOW_MS)


def test_no_bundle_of_a_user_or_without_items_is_ever_the_last_known_good() -> None:
    good = KnownGood()
    question = BundleRequest(Consent.FULL, "u1", "home", Context(), candidates_max=20)
    good.offer(random_bundle(question, random.Random(1), NOW_MS))
    nothing = BundleRequest(Consent.NONE, None, "home", Context(), candidates_max=20)
    good.offer(random_bundle(nothing, random.Random(1), NOW_MS, candidates=0))
    assert good.find("home", Consent.FULL) is None


def test_a_cohort_s_bundle_is_the_last_known_good_of_those_who_belong_to_one() -> None:
    good = KnownGood()
    good.offer(shared_bundle(Consent.COHORT, NOW_MS + 1))
    assert good.find("home", Consent.NONE) is None
    cohort = good.find("home", Consent.FULL)
    assert cohort is not None
    assert cohort.consent is Consent.COHORT
    good.offer(popular_of("detail"))
    popular = good.find("home", Consent.FULL)
    assert popular is not None
    assert popular.consent is Consent.NONE


def test_a_deployment_s_own_bundles_are_read_when_they_are_needed_and_once() -> None:
    good, readings = KnownGood(), []

    def read() -> list[Bundle]:
        readings.append(1)
        return [popular_of("home", 0), popular_of("detail", 0)]

    good.deploy(read)
    good.offer(popular_of("home"))
    found = good.find("home", Consent.FULL)
    assert found is not None
    assert found.created_at_ms == NOW_MS
    assert readings == []
    assert good.find("detail", Consent.FULL) is not None
    assert good.find("cart", Consent.FULL) is not None
    assert readings == [1]


def test_known_good_bundles_are_bounded() -> None:
    good = KnownGood()
    for number in range(2 * BUNDLES_MAX):
        good.offer(popular_of(f"surface-{number}"))
    last = good.find(f"surface-{2 * BUNDLES_MAX - 1}", Consent.FULL)
    assert last is not None
    assert last.surface == "surface-0"
