"""The Segment HTTP tracking API: its messages become our events.

An interaction is what names an item; everything else is accepted and counted, not stored
(docs/segment.md has the table). Names and fields are those of Segment's published specification.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from attune.consent import Consent
from attune.context import Context
from attune.contract.decode import ID_LENGTH_MAX, ContractError
from attune.contract.event import EVENTS_PER_BATCH_MAX, Action, EventBatch, read_event_batch
from edge_worker.arrival import Arrival
from edge_worker.identity import tracked_user
from edge_worker.settings import EdgeSettings, WriteKey

KINDS = ("track", "identify", "page", "screen", "group", "alias")

ACTIONS: Mapping[str, Action] = {
    "product viewed": "view",
    "viewed product": "view",
    "product clicked": "click",
    "clicked product": "click",
    "product added": "cart",
    "added product": "cart",
    "order completed": "purchase",
    "completed order": "purchase",
}
"""Events of the ecommerce specification, and the names that its first version had for them."""

SLATE_SEEN = ("product list viewed", "viewed product list")

LOCAL_HOUR = Context().local_hour
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Messages:
    """A call of the tracking API as read; ``ignored`` messages name no item."""

    batch: EventBatch
    ignored: int


@dataclass(frozen=True, slots=True)
class Sender:
    """What all messages of one call have in common."""

    settings: EdgeSettings
    key_name: str
    key: WriteKey
    arrival: Arrival
    sent_at_ms: int | None


def read_messages(settings: EdgeSettings, arrival: Arrival, kind: str) -> Messages:
    """Return the events in one call; ``kind`` is "batch" or what its one message is.

    Raises:
        ContractError: when the body is no message, its write key is not known, or it holds more
            interactions than a batch may.
    """
    body = _object(arrival.body)
    messages: list[Any] = _batch(body) if kind == "batch" else [{**body, "type": kind}]
    name, key = _write_key(settings, arrival, body)
    sender = Sender(settings, name, key, arrival, _instant_ms(body.get("sentAt")))
    events: list[dict[str, object]] = []
    ignored = 0
    for message in messages:
        read = list(_events(sender, _optional_object(message)))
        events += read
        ignored += not read
    if len(events) > EVENTS_PER_BATCH_MAX:
        problem = f"holds {len(events)} interactions, more than {EVENTS_PER_BATCH_MAX}"
        raise ContractError("batch", problem, 413)
    if not events:
        return Messages(EventBatch((), 0, ()), ignored)
    capped = arrival.global_privacy_control
    return Messages(read_event_batch({"events": events}, capped, strict=False), ignored)


def _batch(body: Mapping[str, Any]) -> list[Any]:
    messages = body.get("batch")
    if not isinstance(messages, list):
        raise ContractError("batch", "must be a list of messages")
    listed = cast("list[Any]", messages)
    if len(listed) > EVENTS_PER_BATCH_MAX:
        raise ContractError("batch", f"must hold at most {EVENTS_PER_BATCH_MAX} messages", 413)
    return listed


def _write_key(
    settings: EdgeSettings, arrival: Arrival, body: Mapping[str, Any]
) -> tuple[str, WriteKey]:
    """Return the sender's key, from Basic authentication (as the user name) or from the body."""
    scheme, _, encoded = arrival.credentials.authorization.partition(" ")
    name: object = body.get("writeKey")
    if scheme.lower() == "basic":
        try:
            name = base64.b64decode(encoded.strip()).decode().partition(":")[0]
        except ValueError:
            name = None
    if not isinstance(name, str) or name not in settings.write_keys:
        raise ContractError("writeKey", "is not one of this edge's write keys", 401)
    return name, settings.write_keys[name]


def _events(sender: Sender, message: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    """Yield our events, in their wire form, of one message."""
    if message.get("type") != "track" or not isinstance(message.get("event"), str):
        return
    name = cast("str", message["event"]).strip().lower()
    properties = _optional_object(message.get("properties"))
    if name in ACTIONS:
        products = properties.get("products") if ACTIONS[name] == "purchase" else None
        listed = cast("list[Any]", products) if isinstance(products, list) else [properties]
        envelope = _envelope(sender, message, properties)
        for index, product in enumerate(listed):
            one = _optional_object(product)
            event_id = f"{envelope['event_id']}:{index}" if products else envelope["event_id"]
            place = {"event_id": event_id, "type": ACTIONS[name], "item_id": _item_id(one)}
            yield envelope | place | _place(one)
    elif name in SLATE_SEEN and properties.get("slate_id"):
        yield _envelope(sender, message, properties) | _impression(properties)


def _envelope(
    sender: Sender, message: Mapping[str, Any], properties: Mapping[str, Any]
) -> dict[str, object]:
    """Return what every event of a message says: who, when, where, under which consent."""
    context = _optional_object(message.get("context"))
    consent = _consent(sender, context)
    anonymous, user = _id(message.get("anonymousId")), _id(message.get("userId"))
    occurred_at_ms = _occurred_at_ms(sender, message)
    visitor = anonymous or user
    event: dict[str, object] = {
        "event_id": _event_id(message),
        "consent": consent.value,
        "session_id": visitor and _session_id(sender, visitor, context, occurred_at_ms),
        "occurred_at_ms": occurred_at_ms,
        "surface": properties.get("surface", "home"),
        "context": Context(
            device=_device(context), region=sender.arrival.region or "ZZ", local_hour=LOCAL_HOUR
        ).pack(),
    }
    if visitor is not None and consent.allows_user_data:
        event["user_id"] = tracked_user(
            sender.settings.keys,
            sender.arrival.credentials,
            user or visitor,
            sender.key.trusted,
            sender.arrival.now_ms,
        )
    return event


def _item_id(product: Mapping[str, Any]) -> object:
    """Return the product's id; a number stands for its digits."""
    found = product.get("product_id") or product.get("sku")
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else found


def _place(product: Mapping[str, Any]) -> dict[str, object]:
    """Return where in one of our slates the product stood, if it did."""
    if not product.get("slate_id"):
        return {}
    return {name: product.get(name) for name in ("slate_id", "position", "propensity")}


def _impression(properties: Mapping[str, Any]) -> dict[str, object]:
    products = properties.get("products")
    listed = cast("list[Any]", products) if isinstance(products, list) else []
    shown = [_optional_object(product) for product in listed]
    return {
        "type": "impression",
        "slate_id": properties.get("slate_id"),
        "items": [
            {
                "item_id": _item_id(product),
                "position": product.get("position"),
                "propensity": product.get("propensity"),
            }
            for product in shown
        ],
        "policy_version": properties.get("policy_version"),
        "model_version": properties.get("model_version"),
    }


def _consent(sender: Sender, context: Mapping[str, Any]) -> Consent:
    """Return what the message's consent categories allow, or the write key's default."""
    allowed = _allowed_categories(context)
    if allowed is None:
        return sender.key.default_consent
    if allowed & sender.settings.full_categories:
        return Consent.FULL
    return Consent.COHORT if allowed & sender.settings.cohort_categories else Consent.NONE


def _allowed_categories(context: Mapping[str, Any]) -> set[str] | None:
    """Return the categories allowed, in lower case; None where the message states none."""
    preferences = _optional_object(context.get("consent")).get("categoryPreferences")
    if isinstance(preferences, Mapping):
        stated = cast("Mapping[str, object]", preferences)
        return {str(name).lower() for name, allowed in stated.items() if allowed is True}
    management = _optional_object(context.get("consentManagement"))
    if "allowedConsentIds" not in management and "deniedConsentIds" not in management:
        return None
    listed = management.get("allowedConsentIds")
    names = cast("list[object]", listed) if isinstance(listed, list) else []
    return {name.lower() for name in names if isinstance(name, str)}


def _occurred_at_ms(sender: Sender, message: Mapping[str, Any]) -> int:
    """Return when it happened by our clock: received - (sent - original), never in the future."""
    now_ms = sender.arrival.now_ms
    stated = message.get("originalTimestamp") or message.get("timestamp")
    original_ms = _instant_ms(stated)
    if original_ms is None:
        return now_ms
    sent_at_ms = _instant_ms(message.get("sentAt")) or sender.sent_at_ms
    if sent_at_ms is None:
        return min(original_ms, now_ms)
    return max(0, now_ms - max(0, sent_at_ms - original_ms))


def _instant_ms(stated: object) -> int | None:
    """Return an ISO 8601 instant in milliseconds since 1970-01-01 UTC; None for anything else."""
    if not isinstance(stated, str) or len(stated) > 40:
        return None
    try:
        instant = datetime.fromisoformat(stated)
        return max(0, round(instant.timestamp() * 1000)) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _event_id(message: Mapping[str, Any]) -> str:
    """Return the message's id; one without gets the same from every repetition of it."""
    stated = message.get("messageId")
    if isinstance(stated, str) and 0 < len(stated) <= ID_LENGTH_MAX - 4:
        return stated
    lasting = {name: value for name, value in message.items() if name != "sentAt"}
    written = json.dumps(lasting, sort_keys=True, default=str).encode("utf-8", "replace")
    return f"segment-{hashlib.sha256(written).hexdigest()[:32]}"


def _session_id(
    sender: Sender, visitor: str, context: Mapping[str, Any], occurred_at_ms: int
) -> str:
    """Return an id that ties one visitor's events together for a session, or else for a day.

    It cannot be traced back to the visitor's lasting id, which cohort consent does not cover.
    """
    session = context.get("sessionId")
    stretch = session if isinstance(session, str | int) else occurred_at_ms // DAY_MS
    secret = (*sender.settings.keys.secrets, sender.key_name)[0]
    text = f"{visitor}\0{stretch}".encode("utf-8", "replace")
    return hmac.digest(secret.encode(), text, "sha256").hex()[:24]


def _device(context: Mapping[str, Any]) -> str:
    agent = str(context.get("userAgent", ""))
    kind = str(_optional_object(context.get("device")).get("type", "")).lower()
    if "iPad" in agent or "Tablet" in agent:
        return "tablet"
    if kind in ("ios", "android") or "Mobi" in agent:
        return "mobile"
    return "desktop" if agent else "unknown"


def _id(stated: object) -> str | None:
    return stated if isinstance(stated, str) and stated else None


def _object(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise ContractError("", f"must be an object, not {type(raw).__name__}")
    return cast("Mapping[str, Any]", raw)


def _optional_object(raw: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", raw) if isinstance(raw, Mapping) else {}
