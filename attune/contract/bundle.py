"""The candidate bundle: what the edge caches for a user, so that it can answer without the origin.

Columns rather than rows: a bundle of 200 candidates decodes as a dozen values instead of thousands,
and its numbers stay packed little-endian until a computation needs them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from attune.consent import Consent
from attune.context import Context, read_context
from attune.contract import SCHEMA_VERSION
from attune.contract.decode import ContractError, Fields
from attune.contract.event import read_consent, read_user_id
from attune.contract.recommendation import (
    RECENT_MAX,
    Card,
    RecentInteraction,
    pack_recent,
    read_card,
    read_recent,
)

if TYPE_CHECKING:
    from attune.columns import Columns

EMBEDDING_DIMENSION = 64
CANDIDATES_MAX = 500

SOURCES = ("for_you", "together", "trending", "new", "session")
"""Candidate sources; a candidate is attributed to the first that named it."""


@dataclass(frozen=True, slots=True)
class BundleRequest:
    """The edge's question to the origin."""

    consent: Consent
    user_id: str | None
    surface: str
    context: Context
    candidates_max: int
    recent: tuple[RecentInteraction, ...] = ()


def pack_bundle_request(request: BundleRequest) -> dict[str, object]:
    """Return the wire form."""
    return {
        "schema": SCHEMA_VERSION,
        "consent": request.consent.value,
        "user_id": request.user_id,
        "surface": request.surface,
        "context": request.context.pack(),
        "candidates_max": request.candidates_max,
        "recent": [pack_recent(recent) for recent in request.recent],
    }


def read_bundle_request(raw: object) -> BundleRequest:
    """Return the request in ``raw``."""
    fields = Fields(raw)
    fields.schema()
    consent = read_consent(fields)
    request = BundleRequest(
        consent=consent,
        user_id=read_user_id(fields, consent),
        surface=fields.text("surface", 64),
        context=fields.nested("context", read_context, Context()),
        candidates_max=fields.integer("candidates_max", 1, CANDIDATES_MAX, default=100),
        recent=fields.listed("recent", RECENT_MAX, read_recent),
    )
    if consent.allows_user_data and request.user_id is None:
        raise ContractError("user_id", "is required when the consent is full")
    return request


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of a bundle as columns of one length N, best base score first.

    ``embeddings`` holds N x 64 signed bytes (see ``attune.quantisation``). ``features`` holds
    N x ``len(feature_names)`` float32, row-major: the item-side inputs of the edge scorer (see
    ``attune.features``).
    ``alpha`` and ``beta`` are the bandit's posterior, prior included, in the request's bucket.
    """

    item_ids: tuple[str, ...]
    cards: tuple[Card, ...]
    sources: tuple[str, ...]
    embeddings: bytes
    base_scores: array[float]
    feature_names: tuple[str, ...]
    features: array[float]
    alpha: array[float]
    beta: array[float]

    def __len__(self) -> int:
        return len(self.item_ids)

    def embedding(self, index: int) -> bytes:
        """Return the candidate's embedding: 64 signed bytes."""
        start = index * EMBEDDING_DIMENSION
        return self.embeddings[start : start + EMBEDDING_DIMENSION]


@dataclass(frozen=True, slots=True)
class Recents:
    """Items of the session that are no candidates: ids, M x 64 signed bytes, categories."""

    item_ids: tuple[str, ...] = ()
    embeddings: bytes = b""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that a slate for one user on one surface is made from.

    ``user_embedding`` holds 64 float32 (all zero for a user without history). Fresh until
    ``created_at_ms + fresh_ms``, usable as stale until ``created_at_ms + stale_ms``.
    ``covers_until_ms`` is the user's last interaction that the embedding has seen: the session's
    later ones still have to be applied; ``recents`` holds what is known of those of the session's
    items that are not among the candidates. ``seen`` are items that must not be shown again;
    ``exposures`` counts how often a candidate was shown lately (parallel to the candidates).
    """

    version: str
    user_id: str | None
    consent: Consent
    surface: str
    degraded: str
    created_at_ms: int
    fresh_ms: int
    stale_ms: int
    covers_until_ms: int
    policy_version: int
    model_version: str
    user_embedding: array[float]
    user_interactions: int
    seen: tuple[str, ...]
    exposures: bytes
    recents: Recents
    candidates: Candidates
    derived: list[Columns] = field(default_factory=list[Any], repr=False, compare=False)
    """What slates keep with the bundle, see ``attune.columns``; no part of the wire form."""


def pack_bundle(bundle: Bundle) -> dict[str, object]:
    """Return the wire form, for msgpack."""
    candidates = bundle.candidates
    return {
        "schema": SCHEMA_VERSION,
        "version": bundle.version,
        "user_id": bundle.user_id,
        "consent": bundle.consent.value,
        "surface": bundle.surface,
        "degraded": bundle.degraded,
        "created_at_ms": bundle.created_at_ms,
        "fresh_ms": bundle.fresh_ms,
        "stale_ms": bundle.stale_ms,
        "covers_until_ms": bundle.covers_until_ms,
        "policy_version": bundle.policy_version,
        "model_version": bundle.model_version,
        "user_embedding": bundle.user_embedding.tobytes(),
        "user_interactions": bundle.user_interactions,
        "seen": list(bundle.seen),
        "exposures": bundle.exposures,
        "recent_ids": list(bundle.recents.item_ids),
        "recent_embeddings": bundle.recents.embeddings,
        "recent_categories": list(bundle.recents.categories),
        "item_ids": list(candidates.item_ids),
        "cards": [card.pack() for card in candidates.cards],
        "sources": bytes(SOURCES.index(source) for source in candidates.sources),
        "embeddings": candidates.embeddings,
        "base_scores": candidates.base_scores.tobytes(),
        "feature_names": list(candidates.feature_names),
        "features": candidates.features.tobytes(),
        "alpha": candidates.alpha.tobytes(),
        "beta": candidates.beta.tobytes(),
    }


def read_bundle(raw: object, card: Callable[[object], Card] = read_card) -> Bundle:
    """Return the bundle in ``raw``; raise ContractError where its columns disagree in length.

    ``card`` reads a card; a reader of many bundles may know most of them already.
    """
    fields = Fields(raw)
    fields.schema()
    candidates = _read_candidates(fields, card)
    return Bundle(
        version=fields.text("version"),
        user_id=fields.optional_text("user_id"),
        consent=read_consent(fields),
        surface=fields.text("surface", 64),
        degraded=fields.text("degraded", default="full"),
        created_at_ms=fields.time_ms("created_at_ms"),
        fresh_ms=fields.integer("fresh_ms", 0, 86_400_000),
        stale_ms=fields.integer("stale_ms", 0, 30 * 86_400_000),
        covers_until_ms=fields.time_ms("covers_until_ms", default=0),
        policy_version=fields.integer("policy_version", 0, 2**53),
        model_version=fields.text("model_version"),
        user_embedding=_floats(fields, "user_embedding", EMBEDDING_DIMENSION),
        user_interactions=fields.integer("user_interactions", 0, 2**53, default=0),
        seen=fields.texts("seen", 10_000),
        exposures=fields.raw_bytes("exposures", len(candidates)),
        recents=_read_recents(fields),
        candidates=candidates,
    )


def _read_recents(fields: Fields) -> Recents:
    item_ids = fields.texts("recent_ids", RECENT_MAX)
    categories = fields.listed("recent_categories", RECENT_MAX, str)
    if len(categories) != len(item_ids):
        raise ContractError("recent_categories", f"must hold {len(item_ids)} entries")
    embeddings = fields.raw_bytes("recent_embeddings", len(item_ids) * EMBEDDING_DIMENSION)
    return Recents(item_ids, embeddings, categories)


def _read_candidates(fields: Fields, card: Callable[[object], Card]) -> Candidates:
    item_ids = fields.texts("item_ids", CANDIDATES_MAX)
    count = len(item_ids)
    cards = fields.listed("cards", count, card)
    if len(cards) != count:
        raise ContractError("cards", f"must hold {count} entries, not {len(cards)}")
    sources = fields.raw_bytes("sources", count)
    if any(code >= len(SOURCES) for code in sources):
        raise ContractError("sources", f"must be codes below {len(SOURCES)}")
    feature_names = fields.texts("feature_names", 64)
    return Candidates(
        item_ids=item_ids,
        cards=cards,
        sources=tuple(SOURCES[code] for code in sources),
        embeddings=fields.raw_bytes("embeddings", count * EMBEDDING_DIMENSION),
        base_scores=_floats(fields, "base_scores", count),
        feature_names=feature_names,
        features=_floats(fields, "features", count * len(feature_names)),
        alpha=_floats(fields, "alpha", count),
        beta=_floats(fields, "beta", count),
    )


def _floats(fields: Fields, name: str, count: int) -> array[float]:
    values = array("f")
    values.frombytes(fields.raw_bytes(name, count * values.itemsize))
    return values
