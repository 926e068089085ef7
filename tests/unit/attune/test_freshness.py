"""Bundle keys keep people apart, and age decides what may be served."""

from hypothesis import given
from hypothesis import strategies as st

from attune.consent import Consent
from attune.context import DEVICES, Context
from attune.freshness import bundle_key, freshness

PARTS = st.text(min_size=1, max_size=6)


@given(st.tuples(PARTS, PARTS, PARTS), st.tuples(PARTS, PARTS, PARTS))
def test_no_two_users_surfaces_or_models_share_a_key(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    keys = [
        bundle_key(user, surface, Consent.FULL, Context(), model)
        for user, surface, model in (one, other)
    ]
    assert (keys[0] == keys[1]) == (one == other)


def test_a_consent_change_changes_the_key_and_forgets_the_user() -> None:
    full = bundle_key("u1", "home", Consent.FULL, Context(), "m1")
    shared = bundle_key("u1", "home", Consent.COHORT, Context(), "m1")
    nobody = bundle_key("u1", "home", Consent.NONE, Context(device="mobile"), "m1")
    assert len({full, shared, nobody}) == 3
    assert bundle_key("u2", "home", Consent.COHORT, Context(), "m1") == shared
    assert bundle_key("u2", "home", Consent.NONE, Context(), "m1") == nobody


def test_cohorts_do_not_share_bundles() -> None:
    keys = {
        bundle_key(None, "home", Consent.COHORT, Context(device=device), "m") for device in DEVICES
    }
    assert len(keys) == len(DEVICES)


def test_a_bundle_ages_from_fresh_through_stale_to_expired() -> None:
    ages = [freshness(1000, 100, 300, now) for now in (900, 1000, 1099, 1100, 1299, 1300)]
    assert ages == ["fresh", "fresh", "fresh", "stale", "stale", "expired"]
