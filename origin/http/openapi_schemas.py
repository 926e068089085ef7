"""The schemas of the API's bodies, as JSON Schema."""

from collections.abc import Mapping

from attune.consent import Consent
from attune.context import DEVICES
from attune.contract.bundle import CANDIDATES_MAX
from attune.contract.event import ACTIONS, EVENTS_PER_BATCH_MAX, SLATE_LENGTH_MAX
from attune.contract.item import ATTRIBUTES_MAX, TAGS_MAX
from attune.contract.recommendation import EXCLUDE_MAX, RECENT_MAX

Schema = Mapping[str, object]


def reference(name: str) -> Schema:
    """Return the reference to a schema of this file."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(required: tuple[str, ...] = (), **fields: object) -> Schema:
    """Return the schema of an object."""
    return {"type": "object", "properties": fields, "required": list(required)}


def listed(entries: object, count_max: int | None = None) -> Schema:
    """Return the schema of a list."""
    limit = {} if count_max is None else {"maxItems": count_max}
    return {"type": "array", "items": entries, **limit}


def one_of(*choices: str) -> Schema:
    """Return the schema of a string out of some."""
    return {"type": "string", "enum": list(choices)}


def optional(kind: str) -> Schema:
    """Return the schema of a value that may be null."""
    return {"type": [kind, "null"]}


TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 128}
WHOLE: Schema = {"type": "integer", "minimum": 0}
TIME_MS: Schema = {"type": "integer", "minimum": 0, "description": "ms since 1970-01-01 UTC"}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
CONSENT = one_of(*Consent)
RUNG = one_of("full", "stale", "cohort", "popular", "static")

CARD: Schema = {
    "title": {"type": "string", "minLength": 1, "maxLength": 500},
    "category": {"type": "string"},
    "image_url": {"type": "string"},
    "clip_url": {"type": "string"},
    "item_url": {"type": "string"},
    "price": optional("number"),
}

ITEM: Schema = {
    "schema": WHOLE,
    "item_id": TEXT,
    "title": CARD["title"],
    **{name: optional("string") for name in ("description", "category", "image_url")},
    **{name: optional("string") for name in ("clip_url", "item_url")},
    "tags": listed(TEXT, TAGS_MAX),
    "price": optional("number"),
    "available": FLAG,
    "published_at_ms": TIME_MS,
    "attributes": {
        "type": "object",
        "maxProperties": ATTRIBUTES_MAX,
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    },
}

ASKED: Schema = {
    "schema": WHOLE,
    "consent": CONSENT,
    "user_id": {**optional("string"), "description": "required when the consent is full"},
    "surface": TEXT,
    "context": reference("Context"),
    "recent": listed(reference("RecentInteraction"), RECENT_MAX),
}

SCHEMAS: Mapping[str, Schema] = {
    "Error": record(("error",), error=record(("field", "problem"), field=TEXT, problem=TEXT)),
    "Context": record(
        device=one_of(*DEVICES),
        region={"type": "string", "maxLength": 8},
        local_hour={"type": "integer", "minimum": 0, "maximum": 23},
        entry_category=optional("string"),
    ),
    "RecentInteraction": record(
        ("item_id", "action", "occurred_at_ms"),
        item_id=TEXT,
        action=one_of(*ACTIONS),
        occurred_at_ms=TIME_MS,
    ),
    "RecommendationRequest": record(
        ("consent", "session_id"),
        **ASKED,
        session_id=TEXT,
        n={"type": "integer", "minimum": 1, "maximum": SLATE_LENGTH_MAX, "default": 12},
        exclude=listed(TEXT, EXCLUDE_MAX),
    ),
    "Slate": record(
        ("slate_id", "items", "degraded", "versions"),
        schema=WHOLE,
        slate_id=TEXT,
        surface=TEXT,
        consent=CONSENT,
        items=listed(reference("SlateItem"), SLATE_LENGTH_MAX),
        degraded=RUNG,
        versions=record(bundle=TEXT, policy=WHOLE, model=TEXT),
        epsilon=SHARE,
        exploration_rate=SHARE,
        session_shift=NUMBER,
        seed=WHOLE,
    ),
    "SlateItem": record(
        ("item_id", "position", "propensity"),
        item_id=TEXT,
        position=WHOLE,
        score=NUMBER,
        base_score=SHARE,
        propensity=SHARE,
        explored=FLAG,
        why=one_of("session", "for_you", "together", "trending", "new", "explore"),
        because=optional("string"),
        **CARD,
    ),
    "BundleRequest": record(
        ("consent", "surface"),
        **ASKED,
        candidates_max={"type": "integer", "minimum": 1, "maximum": CANDIDATES_MAX},
    ),
    "Bundle": {"type": "object", "description": "See attune.contract.bundle: columns, in msgpack."},
    "PolicySnapshot": {"type": "object", "description": "See attune.contract.policy, in msgpack."},
    "EventBatch": record(
        ("events",), schema=WHOLE, events=listed(reference("Event"), EVENTS_PER_BATCH_MAX)
    ),
    "Event": record(
        ("event_id", "type", "consent", "session_id", "occurred_at_ms"),
        schema=WHOLE,
        event_id=TEXT,
        type=one_of("impression", *ACTIONS),
        consent=CONSENT,
        user_id=ASKED["user_id"],
        session_id=TEXT,
        occurred_at_ms=TIME_MS,
        surface=TEXT,
        context=reference("Context"),
        slate_id={**optional("string"), "description": "required of an impression"},
        item_id={**TEXT, "description": "required of an interaction"},
        position=optional("integer"),
        propensity=optional("number"),
        items=listed(reference("ShownItem"), SLATE_LENGTH_MAX),
        policy_version=WHOLE,
        model_version=TEXT,
    ),
    "ShownItem": record(
        ("item_id", "position", "propensity"), item_id=TEXT, position=WHOLE, propensity=SHARE
    ),
    "ServedBatch": {"type": "object", "description": "See attune.contract.served, in msgpack."},
    "ServedOutcome": record(("accepted",), accepted=WHOLE),
    "EdgeReport": {"type": "object", "description": "See attune.contract.edge_report, in msgpack."},
    "ModelManifest": {"type": "object", "description": "See origin.model_manifest."},
    "EventOutcome": record(
        ("accepted", "dropped_by_consent", "rejected", "positions"),
        accepted=WHOLE,
        dropped_by_consent=WHOLE,
        positions={
            "type": "object",
            "additionalProperties": WHOLE,
            "description": "The log's partitions, each with the offset of its last event.",
        },
        rejected=listed(record(index=WHOLE, field=TEXT, problem=TEXT)),
    ),
    "Item": record(("title",), **ITEM),
    "ItemShown": record(
        ("item_id", "title"),
        **ITEM,
        first_seen_ms=TIME_MS,
        embedding_version=optional("string"),
    ),
    "ItemId": record(("item_id",), item_id=TEXT),
    "ItemPage": record(
        ("items", "after"), items=listed(reference("ItemShown")), after=optional("string")
    ),
    "ItemOutcome": record(
        ("accepted", "created", "rejected"),
        accepted=WHOLE,
        created=WHOLE,
        rejected=listed(record(line=WHOLE, field=TEXT, problem=TEXT)),
    ),
    "ItemsScored": record(("items",), item_id=TEXT, items=listed(reference("ItemScored"))),
    "ItemScored": record(("item_id", "score"), item_id=TEXT, score=NUMBER, **CARD),
    "ErasureAsked": record(
        ("erasure_id", "requested_at_ms"), erasure_id=TEXT, requested_at_ms=TIME_MS
    ),
    "ErasureReceipt": record(
        ("erasure_id", "requested_at_ms", "erased_at_ms", "log_expires_at_ms", "removed"),
        schema=WHOLE,
        erasure_id=TEXT,
        requested_at_ms=TIME_MS,
        erased_at_ms=TIME_MS,
        log_expires_at_ms=TIME_MS,
        removed={"type": "object", "additionalProperties": WHOLE},
    ),
    "Health": record(
        ("status",), status=TEXT, checks={"type": "object", "additionalProperties": FLAG}
    ),
    "Overview": record(
        now_ms=TIME_MS,
        items=WHOLE,
        items_with_embedding=WHOLE,
        users=WHOLE,
        interactions=WHOLE,
        impressions=WHOLE,
        dead_letters=WHOLE,
        events_appended=optional("integer"),
        lag={"type": ["object", "null"], "additionalProperties": WHOLE},
        policy_version=WHOLE,
        epsilon=SHARE,
        exploration_rate=SHARE,
        exploration_low=SHARE,
        exploration_high=SHARE,
        posteriors=listed(record(item_id=TEXT, bucket=TEXT, impressions=NUMBER, reward=NUMBER)),
    ),
}
