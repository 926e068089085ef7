"""Served slates: what the edge decided, with everything that judging the decision takes later.

The browser's impression says that a slate was seen; this record says how it was chosen. Both name
the slate by its id. Bundle and policy versions, seed and features together make the decision
reproducible.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

from attune.consent import Consent
from attune.context import Context, read_context
from attune.contract import SCHEMA_VERSION
from attune.contract.decode import ContractError, Fields
from attune.contract.event import SLATE_LENGTH_MAX, read_consent, read_user_id
from attune.contract.recommendation import Degradation

SLATES_PER_BATCH_MAX = 100
"""About 100 KB: some seconds of one isolate's slates."""

FEATURES_MAX = 256


@dataclass(frozen=True, slots=True)
class ServedItem:
    """One position of a served slate. ``features`` holds the scorer's inputs, float32."""

    item_id: str
    position: int
    propensity: float
    base_score: float
    explored: bool
    features: array[float]


@dataclass(frozen=True, slots=True)
class ServedSlate:
    """One decision of the edge.

    ``candidates`` counts the eligible ones that the items were chosen from. ``feature_names`` are
    the columns of the items' features.
    """

    slate_id: str
    user_id: str | None
    session_id: str
    consent: Consent
    surface: str
    context: Context
    served_at_ms: int
    bundle_version: str
    policy_version: int
    model_version: str
    context_version: int
    degraded: Degradation
    epsilon: float
    seed: int
    candidates: int
    exploration_rate: float
    feature_names: tuple[str, ...]
    items: tuple[ServedItem, ...]

    @property
    def partition_key(self) -> str:
        """The key that keeps a user's slates in order: the user, else the session."""
        return self.user_id or self.session_id


def pack_served_slate(slate: ServedSlate) -> dict[str, object]:
    """Return the wire form of a record, for msgpack."""
    return {
        "schema": SCHEMA_VERSION,
        "slate_id": slate.slate_id,
        "user_id": slate.user_id,
        "session_id": slate.session_id,
        "consent": slate.consent.value,
        "surface": slate.surface,
        "context": slate.context.pack(),
        "served_at_ms": slate.served_at_ms,
        "bundle_version": slate.bundle_version,
        "policy_version": slate.policy_version,
        "model_version": slate.model_version,
        "context_version": slate.context_version,
        "degraded": slate.degraded,
        "epsilon": slate.epsilon,
        "seed": slate.seed,
        "candidates": slate.candidates,
        "exploration_rate": slate.exploration_rate,
        "feature_names": list(slate.feature_names),
        "items": [_pack_item(item) for item in slate.items],
    }


def _pack_item(item: ServedItem) -> dict[str, object]:
    return {
        "item_id": item.item_id,
        "position": item.position,
        "propensity": item.propensity,
        "base_score": item.base_score,
        "explored": item.explored,
        "features": item.features.tobytes(),
    }


def read_served_slate(raw: object) -> ServedSlate:
    """Return the record in ``raw``; raise ContractError naming the first wrong field.

    A slate served without consent is refused: nothing of it may be kept.
    """
    fields = Fields(raw)
    fields.schema()
    consent = read_consent(fields)
    if not consent.allows_events:
        raise ContractError("consent", "allows no record")
    feature_names = fields.texts("feature_names", FEATURES_MAX)
    return ServedSlate(
        slate_id=fields.text("slate_id"),
        user_id=read_user_id(fields, consent),
        session_id=fields.text("session_id"),
        consent=consent,
        surface=fields.text("surface", 64),
        context=fields.nested("context", read_context, Context()),
        served_at_ms=fields.time_ms("served_at_ms"),
        bundle_version=fields.text("bundle_version"),
        policy_version=fields.integer("policy_version", 0, 2**53),
        model_version=fields.text("model_version"),
        context_version=fields.integer("context_version", 0, 1_000_000),
        degraded=cast("Degradation", fields.choice("degraded", get_args(Degradation))),
        epsilon=fields.number("epsilon", 0.0, 1.0),
        seed=fields.integer("seed", 0, 2**53),
        candidates=fields.integer("candidates", 0, 1_000_000),
        exploration_rate=fields.number("exploration_rate", 0.0, 1.0),
        feature_names=feature_names,
        items=fields.listed(
            "items", SLATE_LENGTH_MAX, lambda entry: _read_item(entry, len(feature_names))
        ),
    )


def _read_item(raw: object, width: int) -> ServedItem:
    fields = Fields(raw)
    features = array("f")
    features.frombytes(fields.raw_bytes("features", features.itemsize * width))
    return ServedItem(
        item_id=fields.text("item_id"),
        position=fields.integer("position", 0, SLATE_LENGTH_MAX - 1),
        propensity=fields.number("propensity", 0.0, 1.0),
        base_score=fields.number("base_score", -1e9, 1e9),
        explored=fields.boolean("explored"),
        features=features,
    )


def pack_served_batch(slates: Sequence[ServedSlate]) -> dict[str, object]:
    """Return the body of ``POST /v1/slates``, for msgpack."""
    return {"schema": SCHEMA_VERSION, "slates": [pack_served_slate(slate) for slate in slates]}


def read_served_batch(raw: object) -> tuple[ServedSlate, ...]:
    """Return the slates of ``POST /v1/slates``; one wrong record refuses the batch."""
    fields = Fields(raw)
    fields.schema()
    slates = fields.listed("slates", SLATES_PER_BATCH_MAX, read_served_slate)
    if not slates:
        raise ContractError("slates", "must hold at least one entry")
    return slates
