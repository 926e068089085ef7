"""The degradation ladder: which bundle answers, and which rung the answer stands on."""

from typing import NamedTuple, get_args

from attune.consent import Consent
from attune.contract.bundle import Bundle
from attune.contract.recommendation import Degradation, RecommendationRequest
from attune.freshness import bundle_key
from edge_worker.bundle_cache import BundleCache, Found
from edge_worker.known_good import KnownGood

RUNGS: tuple[Degradation, ...] = get_args(Degradation)


class Standing(NamedTuple):
    """A bundle to answer from and the rung it stands on."""

    bundle: Bundle
    rung: Degradation


def worse(a: Degradation, b: Degradation) -> Degradation:
    """Return the lower of two rungs.

    >>> worse("stale", "full")
    'stale'
    """
    return RUNGS[max(RUNGS.index(a), RUNGS.index(b))]


def own_standing(found: Found) -> Standing:
    """Return the request's own bundle with its rung: the origin's label, stale past its time."""
    label = found.bundle.degraded
    made = label if label in RUNGS else "popular"
    return Standing(found.bundle, made if found.freshness == "fresh" else worse(made, "stale"))


def popular_key(request: RecommendationRequest, model_version: str) -> str:
    """Return the key of the bundle that anyone may be served on this surface."""
    return bundle_key(None, request.surface, Consent.NONE, request.context, model_version)


def fallback(
    cache: BundleCache,
    known_good: KnownGood,
    request: RecommendationRequest,
    model_version: str,
    now_ms: int,
) -> Standing | None:
    """Return the best bundle that is not the request's own: the cohort's, the popular one, any.

    None of them holds anything of any user. Past their time they are the last known good, and so is
    another surface's popular bundle: "static".
    """
    for key, consent in shared_keys(request, model_version):
        found = cache.find(key, now_ms)
        if found is not None:
            rung: Degradation = "cohort" if consent is Consent.COHORT else "popular"
            return Standing(found.bundle, "static" if found.freshness == "expired" else rung)
    last = known_good.find(request.surface, request.consent)
    return None if last is None else Standing(last, "static")


def shared_keys(
    request: RecommendationRequest, model_version: str
) -> tuple[tuple[str, Consent], ...]:
    """Return the keys of the bundles that others share with the request, the closest first."""
    popular = (popular_key(request, model_version), Consent.NONE)
    if not request.consent.allows_events:
        return (popular,)
    cohort = bundle_key(None, request.surface, Consent.COHORT, request.context, model_version)
    return ((cohort, Consent.COHORT), popular)
