"""Events: interactions (what a user did) and impressions (a slate that was shown)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from attune.consent import Consent
from attune.context import Context, read_context
from attune.contract import SCHEMA_VERSION
from attune.contract.decode import ContractError, Fields

Action = Literal["view", "click", "cart", "purchase", "dismiss"]

ACTIONS: tuple[Action, ...] = ("view", "click", "cart", "purchase", "dismiss")
EVENTS_PER_BATCH_MAX = 500
"""A browser flushes every few seconds: more in one batch is a defect or an attack."""

SLATE_LENGTH_MAX = 50

CONSENTS = {consent.value: consent for consent in Consent}
"""By what is stated; asking the enumeration takes five times as long."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that a user did with one item.

    ``user_id`` is None unless the consent is full. ``slate_id`` and ``position`` are set when the
    item was chosen from one of our slates; only then does the interaction reward the bandit.
    """

    event_id: str
    consent: Consent
    user_id: str | None
    session_id: str
    item_id: str
    action: Action
    occurred_at_ms: int
    surface: str
    context: Context
    slate_id: str | None = None
    position: int | None = None
    propensity: float | None = None


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item in a slate that was shown, with the probability with which it was chosen."""

    item_id: str
    position: int
    propensity: float


@dataclass(frozen=True, slots=True)
class Impression:
    """One slate that was actually shown, with all that off-policy evaluation needs."""

    event_id: str
    consent: Consent
    user_id: str | None
    session_id: str
    slate_id: str
    items: tuple[ShownItem, ...]
    occurred_at_ms: int
    surface: str
    context: Context
    policy_version: int
    model_version: str


Event = Interaction | Impression


def read_event(raw: object, strict: bool = False) -> Event:
    """Return the event in ``raw``, a decoded JSON or msgpack object.

    Args:
        raw: the object.
        strict: refuse unknown fields, as at the browser's border.

    Raises:
        ContractError: naming the first field that is wrong.
    """
    fields = Fields(raw)
    fields.schema()
    kind = fields.choice("type", ("impression", *ACTIONS))
    event = (
        _read_impression(fields, strict)
        if kind == "impression"
        else _read_interaction(fields, cast("Action", kind), strict)
    )
    if strict:
        fields.refuse_unknown()
    if event.consent.allows_user_data and event.user_id is None:
        raise ContractError("user_id", "is required when the consent is full")
    return event


def _read_interaction(fields: Fields, action: Action, strict: bool) -> Interaction:
    consent = read_consent(fields)
    return Interaction(
        event_id=fields.text("event_id"),
        consent=consent,
        user_id=read_user_id(fields, consent),
        session_id=fields.text("session_id"),
        item_id=fields.text("item_id"),
        action=action,
        occurred_at_ms=fields.time_ms("occurred_at_ms"),
        surface=fields.text("surface", 64, default="home"),
        context=fields.nested("context", lambda raw: read_context(raw, strict), Context()),
        slate_id=fields.optional_text("slate_id"),
        position=fields.optional_integer("position", 0, SLATE_LENGTH_MAX - 1),
        propensity=_optional_propensity(fields),
    )


def _read_impression(fields: Fields, strict: bool) -> Impression:
    consent = read_consent(fields)
    items = fields.listed("items", SLATE_LENGTH_MAX, lambda raw: _read_shown_item(raw, strict))
    if not items:
        raise ContractError("items", "must hold at least one entry")
    return Impression(
        event_id=fields.text("event_id"),
        consent=consent,
        user_id=read_user_id(fields, consent),
        session_id=fields.text("session_id"),
        slate_id=fields.text("slate_id"),
        items=items,
        occurred_at_ms=fields.time_ms("occurred_at_ms"),
        surface=fields.text("surface", 64, default="home"),
        context=fields.nested("context", lambda raw: read_context(raw, strict), Context()),
        policy_version=fields.integer("policy_version", 0, 2**53, default=0),
        model_version=fields.text("model_version", default="none"),
    )


def _read_shown_item(raw: object, strict: bool) -> ShownItem:
    fields = Fields(raw)
    shown = ShownItem(
        item_id=fields.text("item_id"),
        position=fields.integer("position", 0, SLATE_LENGTH_MAX - 1),
        propensity=fields.number("propensity", 0.0, 1.0),
    )
    if strict:
        fields.refuse_unknown()
    return shown


def read_consent(fields: Fields) -> Consent:
    """Return the consent stated in the object; it must be stated."""
    return CONSENTS[fields.choice("consent", tuple(CONSENTS))]


def read_user_id(fields: Fields, consent: Consent) -> str | None:
    """Return the user's id, or None when the consent does not allow one to be used."""
    user_id = fields.optional_text("user_id")
    return user_id if consent.allows_user_data else None


def _optional_propensity(fields: Fields) -> float | None:
    value = fields.number("propensity", 0.0, 1.0, default=-1.0)
    return None if value < 0 else value


def partition_key(event: Event) -> str:
    """Return the key that keeps a user's events in order: the user, else the session."""
    return event.user_id or event.session_id


def pack_event(event: Event) -> dict[str, object]:
    """Return the wire form of an event, for JSON or msgpack."""
    packed: dict[str, object] = {
        "schema": SCHEMA_VERSION,
        "event_id": event.event_id,
        "consent": event.consent.value,
        "user_id": event.user_id,
        "session_id": event.session_id,
        "occurred_at_ms": event.occurred_at_ms,
        "surface": event.surface,
        "context": event.context.pack(),
        "slate_id": event.slate_id,
    }
    if isinstance(event, Impression):
        return packed | {
            "type": "impression",
            "items": [
                {
                    "item_id": shown.item_id,
                    "position": shown.position,
                    "propensity": shown.propensity,
                }
                for shown in event.items
            ],
            "policy_version": event.policy_version,
            "model_version": event.model_version,
        }
    return packed | {
        "type": event.action,
        "item_id": event.item_id,
        "position": event.position,
        "propensity": event.propensity,
    }


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event of a batch that broke the contract: its index, the field, the problem."""

    index: int
    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class EventBatch:
    """A batch after reading: what can be stored, what consent dropped, what was refused."""

    events: tuple[Event, ...]
    dropped_by_consent: int
    rejected: tuple[RejectedEvent, ...]


def read_event_batch(
    raw: object, global_privacy_control: bool = False, strict: bool = True
) -> EventBatch:
    """Return the batch ``{"events": [...]}``; one bad event does not take the good ones with it.

    Raises:
        ContractError: when the envelope itself is wrong, or holds no event.
    """
    fields = Fields(raw)
    fields.schema()
    entries = fields.listed("events", EVENTS_PER_BATCH_MAX, lambda entry: entry)
    if strict:
        fields.refuse_unknown()
    if not entries:
        raise ContractError("events", "must hold at least one entry")
    events: list[Event] = []
    rejected: list[RejectedEvent] = []
    dropped = 0
    for index, entry in enumerate(entries):
        try:
            event = read_event(_capped(entry) if global_privacy_control else entry, strict)
        except ContractError as error:
            rejected.append(RejectedEvent(index, error.field, error.problem))
            continue
        if event.consent.allows_events:
            events.append(event)
        else:
            dropped += 1
    return EventBatch(tuple(events), dropped, tuple(rejected))


def _capped(entry: object) -> object:
    """Return the entry with its consent lowered to cohort, which ``Sec-GPC: 1`` demands."""
    if not isinstance(entry, Mapping):
        return entry
    known = cast("Mapping[str, object]", entry)
    if known.get("consent") == Consent.FULL.value:
        return {**known, "consent": Consent.COHORT.value}
    return known
