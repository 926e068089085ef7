"""Messages of the Segment tracking API become our events."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from attune.consent import Consent
from attune.contract.decode import ContractError
from attune.contract.event import Event, Impression, Interaction
from attune.identity import Keys, signed_cookie
from edge_worker.arrival import Arrival
from edge_worker.identity import Credentials
from edge_worker.segment import Messages, read_messages
from edge_worker.settings import EdgeSettings, WriteKey
from tests.parity.states import NOW_MS

KEYS = {
    "web": WriteKey(Consent.FULL),
    "crowd": WriteKey(Consent.COHORT),
    "shy": WriteKey(Consent.NONE),
    "server": WriteKey(Consent.FULL, trusted=True),
}
SETTINGS = EdgeSettings(write_keys=KEYS)
PROTECTED = replace(SETTINGS, keys=Keys(("a secret of at least thirty-two letters",)))
VIEWED = {
    "writeKey": "web",
    "anonymousId": "anonymous-1",
    "messageId": "m1",
    "event": "Product Viewed",
    "properties": {"product_id": "p1"},
}


def read(
    kind: str = "track",
    settings: EdgeSettings = SETTINGS,
    credentials: Credentials | None = None,
    privacy_control: bool = False,
    **changes: Any,
) -> Messages:
    """Return what a message with these changes becomes."""
    arrival = Arrival(
        body={**VIEWED, **changes},
        global_privacy_control=privacy_control,
        region="DE",
        now_ms=NOW_MS,
        entropy=bytes(18),
        credentials=credentials or Credentials(),
    )
    return read_messages(settings, arrival, kind)


def one(**changes: Any) -> Event:
    """Return the one event that a message becomes."""
    (event,) = read(**changes).batch.events
    return event


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("Product Viewed", "view"),
        ("product viewed ", "view"),
        ("Viewed Product", "view"),
        ("Product Clicked", "click"),
        ("Product Added", "cart"),
        ("Order Completed", "purchase"),
    ],
)
def test_a_product_event_is_an_interaction(name: str, action: str) -> None:
    event = one(event=name)
    assert isinstance(event, Interaction)
    assert (event.action, event.item_id, event.event_id) == (action, "p1", "m1")
    assert (event.user_id, event.consent, event.surface) == ("anonymous-1", Consent.FULL, "home")
    assert event.context.region == "DE"


def test_an_order_is_a_purchase_of_each_of_its_products() -> None:
    products = [{"product_id": "p1"}, {"sku": "p2"}, {"product_id": 3}]
    events = read(event="Order Completed", properties={"products": products}).batch.events
    bought = [(e.event_id, e.item_id) for e in events if isinstance(e, Interaction)]
    assert bought == [("m1:0", "p1"), ("m1:1", "p2"), ("m1:2", "3")]


def test_a_click_on_an_item_of_our_slate_names_its_place() -> None:
    place = {"product_id": "p1", "slate_id": "s1", "position": 2, "propensity": 0.25}
    event = one(event="Product Clicked", properties=place)
    assert isinstance(event, Interaction)
    assert (event.slate_id, event.position, event.propensity) == ("s1", 2, 0.25)


def test_a_list_is_an_impression_only_if_it_names_our_slate() -> None:
    products = [{"product_id": "p1", "position": 0, "propensity": 0.9}]
    listed = {"list_id": "l1", "products": products}
    assert read(event="Product List Viewed", properties=listed).ignored == 1
    event = one(event="Product List Viewed", properties={**listed, "slate_id": "s1"})
    assert isinstance(event, Impression)
    assert (event.slate_id, event.items[0].item_id) == ("s1", "p1")


@pytest.mark.parametrize("kind", ["identify", "page", "screen", "group", "alias"])
def test_other_calls_are_taken_and_not_stored(kind: str) -> None:
    assert read(kind).ignored == 1
    assert read(event="Newsletter Opened").ignored == 1


def test_a_known_event_that_names_no_item_is_rejected_with_its_field() -> None:
    rejected = read(properties={}).batch.rejected
    assert [(each.field, each.problem) for each in rejected] == [("item_id", "is required")]
    nobody = read(anonymousId=None).batch.rejected
    assert [each.field for each in nobody] == ["user_id"] or nobody[0].field == "session_id"


def test_a_batch_is_read_message_by_message() -> None:
    one_of_each = [
        {**VIEWED, "type": "track", "writeKey": None},
        {**VIEWED, "type": "page"},
        "nonsense",
        {**VIEWED, "type": "track", "messageId": "m2", "properties": None},
    ]
    read_batch = read("batch", batch=one_of_each)
    assert [event.event_id for event in read_batch.batch.events] == ["m1"]
    assert read_batch.ignored == 2
    assert len(read_batch.batch.rejected) == 1


def test_time_is_told_by_our_clock() -> None:
    # The device's clock is an hour fast; the event waited ten seconds before it was sent.
    skewed = {"timestamp": "2026-01-01T01:00:00.000Z", "sentAt": "2026-01-01T01:00:10.000Z"}
    assert one(**skewed).occurred_at_ms == NOW_MS - 10_000
    moved = {**skewed, "originalTimestamp": "2026-01-01T00:59:00Z"}
    assert one(**moved).occurred_at_ms == NOW_MS - 70_000
    assert one(timestamp="2025-12-31T23:59:00+00:00").occurred_at_ms == NOW_MS - 60_000
    assert one(timestamp="2031-01-01T00:00:00Z").occurred_at_ms == NOW_MS
    for nonsense in ("yesterday", 7, "2026-01-01T00:00:00", "9" * 50, "0001-01-01T00:00:00+14:00"):
        assert 0 <= one(timestamp=nonsense).occurred_at_ms <= NOW_MS
    batch = {"batch": [{**VIEWED, "type": "track", **skewed, "sentAt": None}]}
    in_batch = read("batch", sentAt=skewed["sentAt"], **batch).batch.events[0]
    assert in_batch.occurred_at_ms == NOW_MS - 10_000


@pytest.mark.parametrize(
    ("context", "consent"),
    [
        ({"consent": {"categoryPreferences": {"Functional": True}}}, Consent.FULL),
        ({"consent": {"categoryPreferences": {"C0003": True, "C0002": False}}}, Consent.FULL),
        ({"consent": {"categoryPreferences": {"Analytics": True}}}, Consent.COHORT),
        ({"consentManagement": {"allowedConsentIds": ["C0002"]}}, Consent.COHORT),
        ({"consent": {}}, Consent.FULL),
    ],
)
def test_consent_is_what_the_categories_allow(context: Any, consent: Consent) -> None:
    event = one(context=context)
    assert event.consent is consent
    assert (event.user_id is None) == (consent is Consent.COHORT)


def test_a_refusal_of_every_category_stores_nothing() -> None:
    refusals: list[dict[str, Any]] = [
        {"consent": {"categoryPreferences": {"Functional": False, "Advertising": True}}},
        {"consent": {"categoryPreferences": {}}},
        {"consentManagement": {"deniedConsentIds": ["C0003"]}},
    ]
    for context in refusals:
        batch = read(context=context).batch
        assert (batch.events, batch.dropped_by_consent) == ((), 1)
    assert read(writeKey="shy").batch.dropped_by_consent == 1


def test_global_privacy_control_caps_what_the_categories_allow() -> None:
    (event,) = read(privacy_control=True).batch.events
    assert (event.consent, event.user_id) == (Consent.COHORT, None)


def test_the_crowds_session_cannot_be_traced_to_the_lasting_id() -> None:
    today = one(writeKey="crowd", timestamp="2025-12-31T10:00:00Z")
    later = one(writeKey="crowd", timestamp="2025-12-31T20:00:00Z")
    next_day = one(writeKey="crowd", timestamp="2025-12-30T20:00:00Z")
    assert today.session_id == later.session_id != next_day.session_id
    assert "anonymous-1" not in today.session_id
    of_sdk = one(writeKey="crowd", context={"sessionId": 1767225600})
    assert of_sdk.session_id != today.session_id


def test_a_message_without_an_id_gets_the_same_from_every_repetition() -> None:
    first = one(messageId=None, sentAt="2026-01-01T00:00:00Z")
    again = one(messageId=None, sentAt="2026-01-01T00:00:09Z")
    other = one(messageId=None, properties={"product_id": "p2"})
    assert first.event_id == again.event_id != other.event_id


def test_where_users_are_protected_a_browser_cannot_name_one() -> None:
    protected = {"settings": PROTECTED, "userId": "customer-7"}
    assert one(**protected).user_id == "segment:customer-7"
    assert one(**protected, writeKey="server").user_id == "customer-7"
    cookie = signed_cookie(PROTECTED.keys, "visitor-9", NOW_MS // 1000)
    assert one(**protected, credentials=Credentials(cookie=cookie)).user_id == "visitor-9"
    assert one(userId="customer-7").user_id == "customer-7"


def basic(text: str) -> Credentials:
    return Credentials(authorization="Basic " + base64.b64encode(text.encode()).decode())


def test_the_write_key_is_the_user_name_or_stands_in_the_body() -> None:
    assert one(writeKey=None, credentials=basic("web:")).event_id == "m1"
    assert one(writeKey="unknown", credentials=basic("crowd:x")).consent is Consent.COHORT
    wrong = [
        {"writeKey": None},
        {"writeKey": "unknown"},
        {"writeKey": ["web"]},
        {"credentials": basic("unknown:")},
        {"credentials": Credentials(authorization="Basic é")},
        {"credentials": Credentials(authorization="Basic /w==")},
    ]
    for changes in wrong:
        with pytest.raises(ContractError, match="write keys") as raised:
            read(**changes)
        assert raised.value.status == 401


def test_calls_beyond_the_limits_are_refused() -> None:
    order = {**VIEWED, "type": "track", "event": "Order Completed"}
    products = {"products": [{"product_id": "p1"}] * 60}
    for batch in ([VIEWED] * 501, [{**order, "properties": products}] * 9):
        with pytest.raises(ContractError) as raised:
            read("batch", batch=batch)
        assert raised.value.status == 413
    for body in ({}, {"batch": "x"}):
        with pytest.raises(ContractError, match="batch"):
            read("batch", **body)
