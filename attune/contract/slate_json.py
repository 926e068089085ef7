"""A slate's JSON answer, put together from parts: an item's card is the same in every slate."""

from __future__ import annotations

import json
from json.encoder import encode_basestring

from attune.contract import SCHEMA_VERSION
from attune.contract.recommendation import Card, Slate, SlateItem

SLATE = (
    '{"schema":%d,"slate_id":%s,"surface":%s,"consent":"%s","items":[%s],"degraded":"%s",'
    '"versions":{"bundle":%s,"policy":%d,"model":%s},"epsilon":%.6f,"exploration_rate":%.6f,'
    '"session_shift":%.6f,"seed":%d}'
)
ITEM = (
    '{"item_id":%s,"position":%d,"score":%.6f,"base_score":%.6f,"propensity":%.6f,'
    '"explored":%s,"why":"%s","because":%s,%s}'
)
"""Floats are rounded to 6 places, so that both runtimes agree."""


def slate_json(slate: Slate, cards: dict[str, str]) -> bytes:
    """Return what ``pack_slate`` packs, as UTF-8; an eighth of what encoding the values costs.

    Args:
        slate: the answer.
        cards: each item's card as it was written last time; missing ones are added.
    """
    items = ",".join([_item_json(item, cards) for item in slate.items])
    text = SLATE % (
        SCHEMA_VERSION,
        encode_basestring(slate.slate_id),
        encode_basestring(slate.surface),
        slate.consent.value,
        items,
        slate.degraded,
        encode_basestring(slate.versions.bundle),
        slate.versions.policy,
        encode_basestring(slate.versions.model),
        slate.epsilon,
        slate.exploration_rate,
        slate.session_shift,
        slate.seed,
    )
    return text.encode()


def _item_json(item: SlateItem, cards: dict[str, str]) -> str:
    item_id, position, score, base_score, propensity, explored, why, because, card = item
    written = cards.get(item_id)
    if written is None:
        written = cards[item_id] = _card_json(card)
    return ITEM % (
        encode_basestring(item_id),
        position,
        score,
        base_score,
        propensity,
        "true" if explored else "false",
        why,
        "null" if because is None else encode_basestring(because),
        written,
    )


def _card_json(card: Card) -> str:
    """Return the card's fields, without the braces around them."""
    return json.dumps(card.pack(), ensure_ascii=False, separators=(",", ":"))[1:-1]
