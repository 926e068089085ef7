"""The session's effect on a user's embedding, worked out from the device's own memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from attune.contract.bundle import EMBEDDING_DIMENSION, Bundle
from attune.contract.recommendation import RecentInteraction
from attune.embedding import EmbeddingRule, cosine, normalised, updated_embedding
from attune.quantisation import integers, length, quantised

MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Anchor:
    """An item that the session took to: the next slate is drawn to it and explained with it."""

    item_id: str
    category: str
    code: tuple[int, ...]
    length: float


@dataclass(frozen=True, slots=True)
class SessionState:
    """The user as of this request.

    ``embedding`` (64 floats, length 1 or all zero) has the session's interactions applied,
    ``code`` and ``length`` are its quantised form. ``shift`` is the cosine distance from the
    bundle's embedding, 0 to 2. ``anchors`` are the session's items, latest first; a dismissed one
    is none, or the next slate would seek what it should avoid.
    """

    embedding: tuple[float, ...]
    code: tuple[int, ...]
    length: float
    shift: float
    anchors: tuple[Anchor, ...]
    interactions: int


def session_state(
    bundle: Bundle, recent: tuple[RecentInteraction, ...], now_ms: int, rule: EmbeddingRule
) -> SessionState:
    """Return the user's state after the session's interactions, oldest applied first.

    Interactions that the bundle's embedding has already seen (``covers_until_ms``) are anchors
    but move nothing again. Items that the bundle does not know are passed over: they come with its
    next refresh.
    """
    before = list(bundle.user_embedding)
    after = before
    interactions = bundle.user_interactions
    known = _known_items(bundle, {interaction.item_id for interaction in recent})
    anchors: list[Anchor] = []
    for interaction in recent:
        found = known.get(interaction.item_id)
        if found is None:
            continue
        code, category = found
        if rule.weights.get(interaction.action, 0.0) > 0.0:
            anchors.append(Anchor(interaction.item_id, category, code, length(code)))
        if interaction.occurred_at_ms <= bundle.covers_until_ms:
            continue
        age_hours = (now_ms - interaction.occurred_at_ms) / MS_PER_HOUR
        item = normalised(code)
        after = updated_embedding(after, item, interaction.action, age_hours, interactions, rule)
        interactions += 1
    code = integers(quantised(after))
    return SessionState(
        embedding=tuple(after),
        code=code,
        length=length(code),
        shift=_shift(before, after),
        anchors=tuple(reversed(anchors)),
        interactions=interactions,
    )


def _shift(before: list[float], after: list[float]) -> float:
    if before == after:
        return 0.0
    return 1.0 - cosine(before, after)


def _known_items(bundle: Bundle, wanted: set[str]) -> Mapping[str, tuple[tuple[int, ...], str]]:
    """Return code and category of those of the items that the bundle can place."""
    candidates = bundle.candidates
    known = {
        item_id: (integers(candidates.embedding(index)), candidates.cards[index].category)
        for index, item_id in enumerate(candidates.item_ids)
        if item_id in wanted
    }
    for index, item_id in enumerate(bundle.recents.item_ids):
        start = index * EMBEDDING_DIMENSION
        code = bundle.recents.embeddings[start : start + EMBEDDING_DIMENSION]
        known[item_id] = (integers(code), bundle.recents.categories[index])
    return known
