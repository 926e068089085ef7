"""The browser's question and its answer: a request for a slate, and the slate."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

from attune.consent import Consent
from attune.context import Context, read_context
from attune.contract import SCHEMA_VERSION
from attune.contract.decode import ID_LENGTH_MAX, TIME_MS_MAX, ContractError, Fields
from attune.contract.event import ACTIONS, SLATE_LENGTH_MAX, Action, read_consent, read_user_id

RECENT_MAX = 20
"""The device keeps the session's last 20 interactions; older ones are in the user's embedding."""

EXCLUDE_MAX = 200

AFTER_MAX = 200
"""Items of a list's earlier pages: four pages of the largest slate."""

CATEGORIES_MAX = 20

Degradation = Literal["full", "stale", "cohort", "popular", "static"]
"""Rungs of the degradation ladder, best first."""


class RecentInteraction(NamedTuple):
    """One of the session's recent interactions, as the device remembers it."""

    item_id: str
    action: Action
    occurred_at_ms: int


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """A request for a slate.

    ``recent`` is in the order in which it happened, oldest first. ``after`` are the items shown on
    earlier pages of the same list, which this page continues without repeating one. ``categories``
    keeps to items of these; empty keeps to none in particular.
    """

    consent: Consent
    user_id: str | None
    session_id: str
    surface: str
    n: int
    context: Context
    recent: tuple[RecentInteraction, ...] = ()
    exclude: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


def read_recommendation_request(raw: object, strict: bool = True) -> RecommendationRequest:
    """Return the request in ``raw``; raise ContractError naming the first wrong field."""
    fields = Fields(raw)
    fields.schema()
    consent = read_consent(fields)
    request = RecommendationRequest(
        consent=consent,
        user_id=read_user_id(fields, consent),
        session_id=fields.text("session_id"),
        surface=fields.text("surface", 64, default="home"),
        n=fields.integer("n", 1, SLATE_LENGTH_MAX, default=12),
        context=fields.nested("context", lambda entry: read_context(entry, strict), Context()),
        recent=fields.listed("recent", RECENT_MAX, lambda entry: read_recent(entry, strict)),
        exclude=fields.texts("exclude", EXCLUDE_MAX),
        after=fields.texts("after", AFTER_MAX),
        categories=fields.texts("categories", CATEGORIES_MAX),
    )
    if strict:
        fields.refuse_unknown()
    if consent.allows_user_data and request.user_id is None:
        raise ContractError("user_id", "is required when the consent is full")
    return request


def read_recent(raw: object, strict: bool = False) -> RecentInteraction:
    """Return the recent interaction in ``raw``."""
    plain = _plain_recent(raw)
    if plain is not None:
        return plain
    fields = Fields(raw)
    recent = RecentInteraction(
        item_id=fields.text("item_id"),
        action=cast("Action", fields.choice("action", ACTIONS)),
        occurred_at_ms=fields.time_ms("occurred_at_ms"),
    )
    if strict:
        fields.refuse_unknown()
    return recent


def _plain_recent(raw: object) -> RecentInteraction | None:
    """Return it where nothing needs a second look: they are most of what a request holds."""
    if not isinstance(raw, dict) or len(entry := cast("dict[str, object]", raw)) != 3:
        return None
    item_id, action, at_ms = map(entry.get, ("item_id", "action", "occurred_at_ms"))
    if type(item_id) is not str or type(at_ms) is not int or action not in ACTIONS:
        return None
    if not (0 < len(item_id) <= ID_LENGTH_MAX and item_id.isascii() and 0 <= at_ms <= TIME_MS_MAX):
        return None
    return None if "\x00" in item_id else RecentInteraction(item_id, action, at_ms)


def pack_recent(recent: RecentInteraction) -> dict[str, object]:
    """Return the wire form."""
    return {
        "item_id": recent.item_id,
        "action": recent.action,
        "occurred_at_ms": recent.occurred_at_ms,
    }


@dataclass(frozen=True, slots=True)
class Card:
    """What a page needs to draw an item."""

    title: str
    category: str = ""
    image_url: str = ""
    clip_url: str = ""
    item_url: str = ""
    price: float | None = None

    def pack(self) -> dict[str, object]:
        """Return the wire form."""
        return {
            "title": self.title,
            "category": self.category,
            "image_url": self.image_url,
            "clip_url": self.clip_url,
            "item_url": self.item_url,
            "price": self.price,
        }


def read_card(raw: object) -> Card:
    """Return the card in ``raw``."""
    fields = Fields(raw)
    price = fields.raw("price")
    return Card(
        title=fields.text("title", 500),
        category=fields.optional_text("category") or "",
        image_url=fields.optional_text("image_url", 2000) or "",
        clip_url=fields.optional_text("clip_url", 2000) or "",
        item_url=fields.optional_text("item_url", 2000) or "",
        price=float(price) if isinstance(price, int | float) else None,
    )


Why = Literal["session", "for_you", "together", "trending", "new", "explore"]
"""Why an item stands where it stands, in one word that a page can put into a sentence."""


class SlateItem(NamedTuple):
    """One position of a slate.

    ``score`` is what the policy ordered by, ``base_score`` the scorer's probability, ``propensity``
    the probability with which this item was chosen for this position given those above it.
    ``because`` names the recent item that an item stands here for, when ``why`` is "session".
    """

    item_id: str
    position: int
    score: float
    base_score: float
    propensity: float
    explored: bool
    why: Why
    because: str | None
    card: Card


class Versions(NamedTuple):
    """What the slate was made with."""

    bundle: str
    policy: int
    model: str


class Slate(NamedTuple):
    """The ordered items of one response, with all that is needed to judge them later."""

    slate_id: str
    surface: str
    consent: Consent
    items: tuple[SlateItem, ...]
    degraded: Degradation
    versions: Versions
    epsilon: float
    exploration_rate: float
    session_shift: float
    """How far this session has moved the user's embedding: cosine distance, 0 (not) to 2."""
    seed: int


def pack_slate(slate: Slate) -> dict[str, object]:
    """Return the JSON answer. Floats are rounded to 6 places, so that both runtimes agree."""
    return {
        "schema": SCHEMA_VERSION,
        "slate_id": slate.slate_id,
        "surface": slate.surface,
        "consent": slate.consent.value,
        "items": [_pack_item(item) for item in slate.items],
        "degraded": slate.degraded,
        "versions": {
            "bundle": slate.versions.bundle,
            "policy": slate.versions.policy,
            "model": slate.versions.model,
        },
        "epsilon": round(slate.epsilon, 6),
        "exploration_rate": round(slate.exploration_rate, 6),
        "session_shift": round(slate.session_shift, 6),
        "seed": slate.seed,
    }


def _pack_item(item: SlateItem) -> dict[str, object]:
    return {
        "item_id": item.item_id,
        "position": item.position,
        "score": round(item.score, 6),
        "base_score": round(item.base_score, 6),
        "propensity": round(item.propensity, 6),
        "explored": item.explored,
        "why": item.why,
        "because": item.because,
        **item.card.pack(),
    }
