"""Decisions about cached bundles: what a bundle is stored under, and whether it may be served."""

from typing import Literal

from attune.consent import Consent
from attune.context import Context, cohort_of
from attune.contract import SCHEMA_VERSION

Freshness = Literal["fresh", "stale", "expired"]


def freshness(created_at_ms: int, fresh_ms: int, stale_ms: int, now_ms: int) -> Freshness:
    """Return whether a bundle is served, served and refreshed behind the answer, or not served.

    A bundle from the future (clock skew between machines) counts as just made.

    >>> freshness(created_at_ms=0, fresh_ms=60_000, stale_ms=3_600_000, now_ms=61_000)
    'stale'
    """
    age_ms = max(now_ms - created_at_ms, 0)
    if age_ms < fresh_ms:
        return "fresh"
    return "stale" if age_ms < stale_ms else "expired"


def bundle_key(
    user_id: str | None, surface: str, consent: Consent, context: Context, model_version: str
) -> str:
    """Return the cache key: a bundle can never reach another user, or outlive a consent change.

    With full consent the key is the user's; with cohort consent the cohort's; with none everyone's.
    A user's key holds the cohort too: a bundle's beliefs and base scores are those of its context.
    Each part carries its length, so that no choice of identifiers makes two keys run together.

    >>> bundle_key("u1", "home", Consent.NONE, Context(), "m1")
    '4:none0:0:4:home2:m11:1'
    """
    owner = user_id or "" if consent.allows_user_data else ""
    cohort = cohort_of(context) if consent.allows_events else ""
    parts = (consent.value, owner, cohort, surface, model_version, str(SCHEMA_VERSION))
    return "".join(f"{len(part)}:{part}" for part in parts)
