"""Candidate bundles: the columns that the edge decides from, made of ranked rows."""

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attune.consent import Consent
from attune.contract.bundle import EMBEDDING_DIMENSION, Bundle, Candidates, Recents
from attune.contract.recommendation import RECENT_MAX, Degradation
from attune.features import CANDIDATE_FEATURES
from attune.popularity import HALF_LIVES_HOURS, MS_PER_HOUR
from attune.posterior import Beta
from origin.storage.port import ItemRow, UserRow

FEATURE_HALF_LIVES_HOURS = (1.0, 24.0, 168.0)
"""The half-lives whose readings are ``CANDIDATE_FEATURES``, in their order."""

FLOOR = 0.02
"""Added to decayed counts before the logarithm: below a fiftieth of an event is noise."""

HOURS_PER_DAY = 24.0


@dataclass(frozen=True, slots=True)
class RankedCandidate:
    """A candidate with everything that a bundle says of it."""

    row: ItemRow
    source: str
    base_score: float
    belief: Beta


@dataclass(frozen=True, slots=True)
class BundleHead:
    """What a bundle says beside its candidates."""

    consent: Consent
    surface: str
    degraded: Degradation
    created_at_ms: int
    fresh_ms: int
    stale_ms: int
    policy_version: int
    model_version: str


def made_bundle(
    head: BundleHead,
    user: UserRow | None,
    seen: frozenset[str],
    recent_rows: Mapping[str, ItemRow],
    ranked: Sequence[RankedCandidate],
) -> Bundle:
    """Return the bundle, best base score first.

    Args:
        head: what is not about candidates.
        user: the user's row; None where the consent or an outage leaves none.
        seen: items that must not be shown again; those among the candidates go along.
        recent_rows: the session's items.
        ranked: the candidates, in any order.
    """
    ordered = sorted(ranked, key=lambda each: -each.base_score)
    item_ids = tuple(each.row.item.item_id for each in ordered)
    known = user or UserRow("")
    return Bundle(
        version=_version(head, item_ids, known.covers_until_ms),
        user_id=None if user is None else user.user_id,
        consent=head.consent,
        surface=head.surface,
        degraded=head.degraded,
        created_at_ms=head.created_at_ms,
        fresh_ms=head.fresh_ms,
        stale_ms=head.stale_ms,
        covers_until_ms=known.covers_until_ms,
        policy_version=head.policy_version,
        model_version=head.model_version,
        user_embedding=array("f", known.embedding.astype(np.float32).tobytes()),
        user_interactions=known.interactions,
        seen=tuple(item_id for item_id in item_ids if item_id in seen),
        exposures=bytes(min(known.exposures.get(item_id, 0), 255) for item_id in item_ids),
        recents=_recents(recent_rows, set(item_ids)),
        candidates=_candidates(ordered, head.created_at_ms),
    )


def _version(head: BundleHead, item_ids: Sequence[str], covers_until_ms: int) -> str:
    facts = (
        head.model_version,
        head.policy_version,
        head.created_at_ms,
        covers_until_ms,
        *item_ids,
    )
    return hashlib.blake2b(repr(facts).encode(), digest_size=8).hexdigest()


def _recents(recent_rows: Mapping[str, ItemRow], candidate_ids: set[str]) -> Recents:
    rows = [
        row
        for item_id, row in recent_rows.items()
        if item_id not in candidate_ids and row.embedding is not None
    ][-RECENT_MAX:]
    return Recents(
        item_ids=tuple(row.item.item_id for row in rows),
        embeddings=quantised_rows(rows).tobytes(),
        categories=tuple(row.item.category for row in rows),
    )


def _candidates(ordered: Sequence[RankedCandidate], now_ms: int) -> Candidates:
    rows = [each.row for each in ordered]
    return Candidates(
        item_ids=tuple(row.item.item_id for row in rows),
        cards=tuple(row.item.card() for row in rows),
        sources=tuple(each.source for each in ordered),
        embeddings=quantised_rows(rows).tobytes(),
        base_scores=array("f", (each.base_score for each in ordered)),
        feature_names=CANDIDATE_FEATURES,
        features=array("f", candidate_features(rows, now_ms).ravel()),
        alpha=array("f", (each.belief.alpha for each in ordered)),
        beta=array("f", (each.belief.beta for each in ordered)),
    )


def quantised_rows(rows: Sequence[ItemRow]) -> NDArray[np.int8]:
    """Return (N, 64) signed bytes, as ``attune.quantisation.quantised`` makes each of them."""
    codes = np.zeros((len(rows), EMBEDDING_DIMENSION), dtype=np.int8)  # (N, D)
    places = [place for place, row in enumerate(rows) if row.embedding is not None]
    if not places:
        return codes
    vectors = np.stack([row.embedding for row in rows if row.embedding is not None])  # (M, D)
    largest = np.abs(vectors).max(axis=1, keepdims=True)  # (M, 1)
    # In float64, like the kernel: a product that ends in .5 must round to the same integer.
    scale = 127.0 / np.where(largest > 0.0, largest, 1.0).astype(np.float64)
    codes[places] = np.rint(vectors * scale).astype(np.int8)
    return codes


def candidate_features(rows: Sequence[ItemRow], now_ms: int) -> NDArray[np.float32]:
    """Return (N, 4): ``CANDIDATE_FEATURES`` of each item, all base-2 logarithms.

    The popularities are decayed counts at now, the age is in days since the item was first seen.
    """
    places = [HALF_LIVES_HOURS.index(half_life) for half_life in FEATURE_HALF_LIVES_HOURS]
    stored = np.full((len(rows), len(places)), -np.inf)  # (N, P)
    for row, levels in zip(stored, (row.levels for row in rows), strict=True):
        if levels:
            row[:] = [levels[place] for place in places]
    clocks = now_ms / (np.array(FEATURE_HALF_LIVES_HOURS) * MS_PER_HOUR)  # (P,)
    first_seen = np.array([row.first_seen_ms for row in rows], dtype=np.float64)  # (N,)
    age_days = np.maximum(now_ms - first_seen, 0.0) / (MS_PER_HOUR * HOURS_PER_DAY)
    features = np.empty((len(rows), len(CANDIDATE_FEATURES)), dtype=np.float32)
    features[:, :-1] = np.log2(np.exp2(np.minimum(stored - clocks, 100.0)) + FLOOR)
    features[:, -1] = np.log2(age_days + 1.0)
    return features
