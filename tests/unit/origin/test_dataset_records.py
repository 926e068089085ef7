"""Records: what a table's row means as an item, an event or a user."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from attune.consent import Consent
from attune.contract.decode import ContractError
from attune.contract.event import Interaction
from origin.dataset.records import Sessions, event_of, item_of, renamed, user_of

HOUR_MS = 3_600_000


def click(**columns: object) -> Interaction:
    row = {"user_id": "u1", "item_id": "i1", "action": "click", "occurred_at": 1_700_000_000}
    event = event_of({**row, **columns}, Sessions())
    assert isinstance(event, Interaction)
    return event


def test_an_item_row_of_text_cells_becomes_a_typed_item() -> None:
    item = item_of(
        {
            "item_id": "a1",
            "title": "Mug",
            "tags": "red | large",
            "price": "12.50",
            "available": "no",
            "published_at_ms": "2024-05-01",
            "colour": "red",
            "year": "1999",
            "shelf": "0012",
            "weight": None,
        }
    )
    assert item.tags == ("red", "large")
    assert item.price == 12.5
    assert item.available is False
    assert item.published_at_ms == 1_714_521_600_000
    assert dict(item.attributes) == {"colour": "red", "year": 1999, "shelf": "0012"}


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"title": None}, "title"),
        ({"item_id": None}, "item_id"),
        ({"price": "cheap"}, "price"),
        ({"price": "nan"}, "price"),
        ({"available": "perhaps"}, "available"),
        ({"attributes": [1]}, "attributes"),
        ({"title": "\udcff"}, "title"),
        ({"published_at_ms": "inf"}, "published_at_ms"),
    ],
)
def test_a_bad_item_names_the_field(columns: dict[str, object], field: str) -> None:
    with pytest.raises(ContractError) as caught:
        item_of({"item_id": "a", "title": "Mug", **columns})
    assert caught.value.field == field


def test_columns_can_be_renamed() -> None:
    row = renamed({"sku": 7, "name": "Mug"}, {"sku": "item_id", "name": "title"})
    assert item_of(row).item_id == "7"


@pytest.mark.parametrize(
    "time",
    [
        1_700_000_000,
        1_700_000_000_000,
        "1700000000",
        "2023-11-14T22:13:20Z",
        "2023-11-14 22:13:20",
        "2023-11-14T23:13:20+01:00",
        datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        Decimal("1700000000"),
    ],
)
def test_a_time_may_be_seconds_milliseconds_or_a_date(time: object) -> None:
    assert click(occurred_at=time).occurred_at_ms == 1_700_000_000_000


def test_an_event_needs_only_user_item_and_time() -> None:
    event = event_of({"user_id": 7, "item_id": 8, "timestamp": 1_700_000_000}, Sessions())
    assert isinstance(event, Interaction)
    assert (event.user_id, event.item_id, event.action) == ("7", "8", "view")
    assert event.consent is Consent.FULL


def test_an_event_without_a_user_counts_for_the_crowd() -> None:
    assert click(user_id=None).consent is Consent.COHORT


def test_the_same_row_is_the_same_event() -> None:
    assert click().event_id == click().event_id
    assert click().event_id != click(occurred_at=1_700_000_001).event_id
    assert click().event_id != click(action="view").event_id


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"action": "stare"}, "action"),
        ({"occurred_at": None}, "occurred_at_ms"),
        ({"occurred_at": "soon"}, "occurred_at_ms"),
        ({"occurred_at": float("inf")}, "occurred_at_ms"),
        ({"occurred_at": -5}, "occurred_at_ms"),
        ({"item_id": None}, "item_id"),
        ({"device": "toaster"}, "device"),
        ({"local_hour": "late"}, "local_hour"),
        ({"position": "first"}, "position"),
        ({"consent": "none"}, "consent"),
    ],
)
def test_a_bad_event_names_the_column(columns: dict[str, object], field: str) -> None:
    with pytest.raises(ContractError) as caught:
        click(**columns)
    assert caught.value.field == field


def test_context_columns_are_kept() -> None:
    event = click(device="mobile", local_hour="23", region="DE")
    assert (event.context.device, event.context.local_hour) == ("mobile", 23)


def test_events_within_thirty_minutes_share_a_session() -> None:
    sessions = Sessions()
    first = sessions.session_of("u1", 0)
    assert sessions.session_of("u1", HOUR_MS // 2) == first
    assert sessions.session_of("u2", HOUR_MS // 2) != first
    assert sessions.session_of("u1", HOUR_MS + 1) != first


def test_a_user_brings_an_embedding_and_known_items() -> None:
    user = user_of({"user_id": "u1", "embedding": "|".join(["0.5"] * 64), "seen": "a|b"})
    assert user.embedding == (0.5,) * 64
    assert user.seen == ("a", "b")


@pytest.mark.parametrize("embedding", ["1|2", [1, "x"], "nan|" * 64])
def test_a_wrong_embedding_is_refused(embedding: object) -> None:
    with pytest.raises(ContractError, match="embedding"):
        user_of({"user_id": "u1", "embedding": embedding})
