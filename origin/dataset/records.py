"""Items, events and users from the rows of somebody else's file.

A file's columns carry the names of the contract's fields; what is flat in a table (the context of
an event, times, lists in one cell) is brought into the contract's form here, then read by the same
strict readers that guard the HTTP interface.
"""

import hashlib
import math
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.decode import ContractError, Fields
from attune.contract.event import Event, read_event
from attune.contract.item import Item, read_item

SESSION_GAP_MS = 30 * 60 * 1000
SESSIONS_MAX = 200_000  # users whose latest session is remembered: 40 MB
SECONDS_BELOW = 100_000_000_000  # as milliseconds this is 1973, as seconds the year 5138
SEEN_MAX = 2_000
PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")

ITEM_FIELDS = frozenset(field.name for field in fields(Item)) | {"schema"}
CONTEXT_FIELDS = ("device", "region", "local_hour", "entry_category")
COLUMN_OF = {f"context.{name}": name for name in CONTEXT_FIELDS} | {"type": "action"}
TIME_FIELDS = ("occurred_at_ms", "occurred_at", "timestamp")
INTERACTION_FIELDS = (
    "event_id",
    "consent",
    "user_id",
    "session_id",
    "item_id",
    "surface",
    "slate_id",
    "position",
    "propensity",
    "context",
)


@dataclass(frozen=True, slots=True)
class ImportedUser:
    """A user as another system knows them: an embedding, and the items they know already."""

    user_id: str
    embedding: tuple[float, ...] | None = None
    seen: tuple[str, ...] = ()


def renamed(values: Mapping[str, object], names: Mapping[str, str]) -> Mapping[str, object]:
    """Return a row's values under the fields that `names` maps its columns to."""
    if not names:
        return values
    return {names.get(column, column): value for column, value in values.items()}


def item_of(values: Mapping[str, object]) -> Item:
    """Return the item in a row; columns that are no field of an item become its attributes.

    >>> item_of({"item_id": "7", "title": "Mug", "price": "12.50", "tags": "red|large",
    ...          "colour": "red"}).attributes["colour"]
    'red'
    """
    known = {name: values[name] for name in values if name in ITEM_FIELDS}
    extra = {name: values[name] for name in values if name not in ITEM_FIELDS}
    attributes = {
        name.removeprefix("attributes."): scalar(value)
        for name, value in {**nested(known.get("attributes")), **extra}.items()
        if value is not None
    }
    raw = {
        **known,
        "item_id": as_id(known.get("item_id")),
        "tags": as_texts(known.get("tags")),
        "price": as_number("price", known.get("price")),
        "available": as_boolean("available", known.get("available")),
        "published_at_ms": as_time("published_at_ms", known.get("published_at_ms")),
        "attributes": attributes,
    }
    return read_item(raw)


def nested(attributes: object) -> Mapping[str, object]:
    """Return the attributes that a row holds as one object; none are fine."""
    if attributes is None:
        return {}
    if not isinstance(attributes, Mapping):
        raise ContractError("attributes", "must be an object")
    return cast("Mapping[str, object]", attributes)


def event_of(values: Mapping[str, object], sessions: "Sessions") -> Event:
    """Return the event in a row.

    Only `user_id`, `item_id` and a time are needed. The action is a view unless stated, the
    session follows from the gaps between a user's events, and the id from the content: the same
    row read twice is the same event.
    """
    if values.get("type") == "impression":
        return storable(read_event(values, strict=True))
    raw = wire_form(values)
    raw.setdefault("session_id", sessions.session_of(raw.get("user_id"), raw["occurred_at_ms"]))
    raw.setdefault("event_id", content_id(raw))
    try:
        return storable(read_event(raw, strict=True))
    except ContractError as error:
        column = COLUMN_OF.get(error.field, error.field)
        raise ContractError(column, error.problem) from error


def wire_form(values: Mapping[str, object]) -> dict[str, object]:
    """Return a row as the contract writes an interaction; columns that it does not know are left.

    Raises:
        ContractError: when there is no time, or a number is none.
    """
    time = next((values[name] for name in TIME_FIELDS if values.get(name) is not None), None)
    if time is None:
        raise ContractError("occurred_at_ms", "is required")
    raw: dict[str, object] = {
        name: values[name] for name in INTERACTION_FIELDS if values.get(name) is not None
    }
    for name in ("position", "propensity"):
        if name in raw:
            raw[name] = as_number(name, raw[name])
    for name in ("user_id", "item_id", "session_id", "event_id"):
        if name in raw:
            raw[name] = as_id(raw[name])
    raw["type"] = values.get("type") or values.get("action") or "view"
    raw["occurred_at_ms"] = as_time("occurred_at_ms", time)
    raw.setdefault("consent", "full" if "user_id" in raw else "cohort")
    flat = {name: values[name] for name in CONTEXT_FIELDS if values.get(name) is not None}
    if "local_hour" in flat:
        flat["local_hour"] = as_number("local_hour", flat["local_hour"])
    return raw | ({"context": flat} if flat else {})


def storable(event: Event) -> Event:
    """Return the event if its consent allows to keep it."""
    if not event.consent.allows_events:
        raise ContractError("consent", "does not allow the event to be stored")
    return event


def user_of(values: Mapping[str, object]) -> ImportedUser:
    """Return the user in a row: `user_id`, and optionally `embedding` and `seen` item ids."""
    raw = {
        "user_id": as_id(values.get("user_id")),
        "embedding": as_texts(values.get("embedding")),
        "seen": as_texts(values.get("seen")),
    }
    reader = Fields(raw)
    numbers = reader.listed("embedding", EMBEDDING_DIMENSION, read_number)
    if numbers and len(numbers) != EMBEDDING_DIMENSION:
        problem = f"must hold {EMBEDDING_DIMENSION} numbers, not {len(numbers)}"
        raise ContractError("embedding", problem)
    return ImportedUser(reader.text("user_id"), numbers or None, reader.texts("seen", SEEN_MAX))


class Sessions:
    """The running session of each user: events with no gap over 30 minutes share one."""

    def __init__(self) -> None:
        self._latest: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def session_of(self, user_id: object, occurred_at_ms: object) -> str:
        """Return the session's id; it names the user and the instant at which it began."""
        if not isinstance(occurred_at_ms, int):
            return "unknown"
        user = str(user_id or "anonymous")
        began, latest = self._latest.pop(user, (occurred_at_ms, occurred_at_ms))
        if not 0 <= occurred_at_ms - latest <= SESSION_GAP_MS:
            began = occurred_at_ms
        self._latest[user] = (began, occurred_at_ms)
        if len(self._latest) > SESSIONS_MAX:
            self._latest.popitem(last=False)
        return "s-" + digest(f"{user}\n{began}")


def content_id(raw: Mapping[str, object]) -> str:
    """Return an event id made of what happened, to whom, with what and when."""
    parts = (raw.get(name) for name in ("user_id", "session_id", "item_id", "type"))
    return "i-" + digest("\n".join([*map(str, parts), str(raw["occurred_at_ms"])]))


def event_key(event: Event) -> str:
    """Return what tells two events apart."""
    return event.event_id


def digest(text: str) -> str:
    """Return 96 bits of a hash in hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def as_id(value: object) -> object:
    """Return an id as text; tables keep many of them as whole numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_texts(value: object) -> object:
    """Return a list; in one cell its entries are separated by `|` or, without one, by commas."""
    if not isinstance(value, str):
        return value
    separator = "|" if "|" in value else ","
    return [part.strip() for part in value.split(separator) if part.strip()]


def as_number(name: str, value: object) -> object:
    """Return a number that was written as text, or came as a table's decimal."""
    if isinstance(value, Decimal):
        return float(value)
    if not isinstance(value, str):
        return value
    try:
        return int(value) if value.strip("+-").isdigit() else float(value)
    except ValueError:
        raise ContractError(name, f"must be a number, not {value[:40]!r}") from None


def as_boolean(name: str, value: object) -> object:
    """Return true or false that was written as text."""
    if not isinstance(value, str):
        return value
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if value.casefold() not in known:
        raise ContractError(name, f"must be true or false, not {value[:40]!r}")
    return known[value.casefold()]


def as_time(name: str, value: object) -> object:
    """Return milliseconds since 1970 from those, from seconds, or from an ISO 8601 date.

    >>> as_time("t", 1365029107), as_time("t", "2013-04-03T22:45:07Z")
    (1365029107000, 1365029107000)
    """
    if isinstance(value, str) and not value.strip("+-").replace(".", "", 1).isdigit():
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ContractError(name, f"must be a time, not {value[:40]!r}") from None
    value = as_number(name, value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return value
    return round(value * 1000) if value < SECONDS_BELOW else round(value)


def scalar(value: object) -> object:
    """Return an attribute: a number where the text is exactly one, else what it was.

    >>> scalar("12"), scalar("0012")
    (12, '0012')
    """
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and PLAIN_NUMBER.fullmatch(value):
        return int(value)
    return value


def read_number(value: object) -> float:
    """Return one entry of an embedding."""
    return Fields({"number": as_number("", value)}).number("number", -1e6, 1e6)
