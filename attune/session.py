"""The session's effect on a user's embedding, worked out from the device's own memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from attune.columns import KnownItem, columns_of
from attune.contract.bundle import Bundle
from attune.contract.recommendation import RecentInteraction
from attune.embedding import EmbeddingRule, step_size
from attune.quantisation import integers, length, quantised, sumprod

MS_PER_HOUR = 3_600_000


class SessionState(NamedTuple):
    """The user as of this request.

    ``code`` is the user's embedding with the session's interactions applied, quantised; ``length``
    is the code's. ``shift`` is the cosine distance from the bundle's embedding, 0 to 2. ``anchors``
    are the items that the session took to, latest first: the next slate is drawn to them and
    explained with them. A dismissed one is none, or the slate would seek what it should avoid.
    """

    code: bytes
    length: float
    shift: float
    anchors: tuple[KnownItem, ...]
    interactions: int


def session_state(
    bundle: Bundle, recent: tuple[RecentInteraction, ...], now_ms: int, rule: EmbeddingRule
) -> SessionState:
    """Return the user's state after the session's interactions, oldest applied first.

    Interactions that the bundle's embedding has already seen (``covers_until_ms``) are anchors
    but move nothing again. Items that the bundle does not know are passed over: they come with its
    next refresh.
    """
    items = columns_of(bundle).items
    after: Sequence[float] = bundle.user_embedding
    interactions = bundle.user_interactions
    anchors: list[KnownItem] = []
    for interaction in recent:
        known = items.get(interaction.item_id)
        if known is None:
            continue
        if rule.weights.get(interaction.action, 0.0) > 0.0:
            anchors.append(known)
        if interaction.occurred_at_ms > bundle.covers_until_ms:
            age_hours = (now_ms - interaction.occurred_at_ms) / MS_PER_HOUR
            step = step_size(interaction.action, age_hours, interactions, rule)
            after = _pulled(after, known, step)
            interactions += 1
    anchors.reverse()
    if after is bundle.user_embedding:
        code, own = columns_of(bundle).user
        return SessionState(code, own, 0.0, tuple(anchors), interactions)
    code = quantised(after)
    shift = _distance(bundle.user_embedding, after)
    return SessionState(code, length(integers(code)), shift, tuple(anchors), interactions)


def _pulled(embedding: Sequence[float], item: KnownItem, step: float) -> Sequence[float]:
    """Return the direction of an embedding after one step of ``attune.embedding``'s rule.

    Of any length: the next step and the quantisation take care of it.
    """
    if step == 0.0:
        return embedding
    own = math.sqrt(sumprod(embedding, embedding))
    kept = (1.0 - step) / own if own > 0.0 else 0.0
    taken = step / item.length if item.length > 0.0 else 0.0
    return [kept * e + taken * i for e, i in zip(embedding, item.numbers, strict=True)]


def _distance(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the cosine distance, 1 where one of the vectors is zero."""
    lengths = math.sqrt(sumprod(a, a) * sumprod(b, b))
    return 1.0 - (sumprod(a, b) / lengths if lengths > 0.0 else 0.0)
