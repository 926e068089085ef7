"""Bytes of every form that ever lay in a log; they are read for ever and never changed here."""

import msgpack
import pytest

from attune.consent import Consent
from attune.context import Context
from attune.contract.decode import ContractError
from attune.contract.event import Event, Impression, Interaction, ShownItem
from attune.contract.logged import log_form, read_logged

CLICK = Interaction(
    event_id="e1", consent=Consent.FULL, user_id="ann", session_id="s1", item_id="i1",
    action="click", occurred_at_ms=1_700_000_000_000, surface="home",
    context=Context("mobile", "DE", 20, "shoes"), slate_id="slate", position=3, propensity=0.25,
)  # fmt: skip
SEEN = Impression(
    event_id="e2", consent=Consent.COHORT, user_id=None, session_id="s1", slate_id="slate",
    items=(ShownItem("i1", 0, 0.5), ShownItem("i2", 1, 0.25)), occurred_at_ms=1_700_000_000_000,
    surface="home", context=Context(), policy_version=7, model_version="m1",
)  # fmt: skip

GOLDEN: list[tuple[str, Event]] = [
    # Form 1: objects.
    (
        (
            "8da6736368656d6101a86576656e745f6964a26531a7636f6e73656e74a466756c6ca7757365725f6964a3616e6e"
            "aa73657373696f6e5f6964a27331ae6f636375727265645f61745f6d73cf0000018bcfe56800a773757266616365"
            "a4686f6d65a7636f6e7465787484a6646576696365a66d6f62696c65a6726567696f6ea24445aa6c6f63616c5f68"
            "6f757214ae656e7472795f63617465676f7279a573686f6573a8736c6174655f6964a5736c617465a474797065a5"
            "636c69636ba76974656d5f6964a26931a8706f736974696f6e03aa70726f70656e73697479cb3fd0000000000000"
        ),
        CLICK,
    ),
    # Form 2: interactions as arrays.
    (
        (
            "9d02a2653102a3616e6ea27331a2693101cf0000018bcfe56800a4686f6d6594a66d6f62696c65a2444514a57368"
            "6f6573a5736c61746503cb3fd0000000000000"
        ),
        CLICK,
    ),
    # Form 3: impressions as arrays.
    (
        (
            "9e03a2653201c0a27331a5736c617465cf0000018bcfe56800a4686f6d65c092a26931a26932920001"
            "92cb3fe0000000000000cb3fd000000000000007a26d31"
        ),
        SEEN,
    ),
]


@pytest.mark.parametrize(("stored", "event"), GOLDEN)
def test_what_was_ever_written_is_read(stored: str, event: Event) -> None:
    assert read_logged(msgpack.unpackb(bytes.fromhex(stored))) == event


@pytest.mark.parametrize(("stored", "event"), GOLDEN[1:])
def test_todays_forms_are_written_as_they_always_were(stored: str, event: Event) -> None:
    assert msgpack.packb(log_form(event)).hex() == stored


def test_a_field_added_at_the_end_is_passed_over() -> None:
    assert read_logged([*log_form(CLICK), "added next year"]) == CLICK
    assert read_logged([*log_form(SEEN), 1]) == SEEN


def test_fields_at_the_end_may_be_missing() -> None:
    event = read_logged(log_form(CLICK)[:10])
    assert isinstance(event, Interaction)
    assert (event.slate_id, event.position, event.propensity) == (None, None, None)


@pytest.mark.parametrize(
    ("raw", "field"),
    [([], "form"), ([4, "e"], "form"), ([2], "consent"), ([3, "e", 1, None], "items"),
     ([2, "e", 9], "consent"), ([2, "e", True], "consent")],
)  # fmt: skip
def test_what_is_no_event_is_refused_by_the_name_of_its_field(raw: list, field: str) -> None:
    with pytest.raises(ContractError) as refused:
        read_logged(raw)
    assert refused.value.field == field
