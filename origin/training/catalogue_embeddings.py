"""Refreshing the catalogue's embeddings: learned from company, completed from content.

Run after a data set was loaded, and daily. An item that many users met stands where they put it,
one that nobody met where its words put it, and between the two lies a weighted mean. Users are
then moved along: their recent interactions are replayed over the new item embeddings.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.embedding import EmbeddingRule, step_size
from origin import drift_state
from origin.content_embedding import content_embedding
from origin.storage.port import Embedding, UserRow
from origin.storage.postgres import PostgresStore
from origin.storage.postgres_training import EmbeddedItem, PostgresTraining
from origin.training.content_blend import blended_embeddings
from origin.training.item_embeddings import Histories, collaborative_embeddings

INTERACTIONS_MIN = 1_000
"""Below so many there is no company to learn from, and content stands alone."""

ITEMS_PER_WRITE = 2_000


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did."""

    version: str
    items: int
    learned: int
    users: int


async def refresh_embeddings(
    store: PostgresStore, training: PostgresTraining, rule: EmbeddingRule, now_ms: int
) -> Refreshed:
    """Give every item an embedding from what is known now, and move the users along."""
    catalogue = await training.items()
    histories, support = _histories(await training.histories(), catalogue)
    version = f"items-{now_ms}"
    learned = _learned(histories, catalogue)
    embeddings = _blended(learned, support, catalogue)
    ids = sorted(embeddings)
    for start in range(0, len(ids), ITEMS_PER_WRITE):
        page = ids[start : start + ITEMS_PER_WRITE]
        await store.put_embeddings(version, {item_id: embeddings[item_id] for item_id in page})
    users = await _move_users(store, training, embeddings, rule)
    async with store.transaction() as transaction:
        # Items and users stand elsewhere now: drift is measured from here on.
        await transaction.drop_fitting(drift_state.NAME)
    return Refreshed(version, len(embeddings), int(learned.any(axis=1).sum()), users)


def _histories(
    pairs: Sequence[tuple[str, str]], catalogue: Sequence[EmbeddedItem]
) -> tuple[Histories, NDArray[np.float64]]:
    """Return the pairs as indices, and how many users met each item."""
    place = {entry.item.item_id: index for index, entry in enumerate(catalogue)}
    users = {user_id: index for index, user_id in enumerate(dict.fromkeys(u for u, _ in pairs))}
    known = [(users[user_id], place[item_id]) for user_id, item_id in pairs if item_id in place]
    columns = np.array(known, dtype=np.int64).reshape(-1, 2)
    met = Counter(index for _, index in known)
    support = np.array([met[index] for index in range(len(catalogue))], dtype=np.float64)
    return Histories(columns[:, 0], columns[:, 1], len(catalogue)), support


def _learned(histories: Histories, catalogue: Sequence[EmbeddedItem]) -> NDArray[np.float64]:
    """Return the items' embeddings from company, turned onto those before: (N, 64)."""
    nothing = np.zeros((len(catalogue), EMBEDDING_DIMENSION))
    if len(histories.items) < INTERACTIONS_MIN:
        return nothing
    before = np.stack([_standing(entry) for entry in catalogue]).astype(np.float64)
    return collaborative_embeddings(histories, before)


def _standing(entry: EmbeddedItem) -> Embedding:
    """Return where the item stands, else where its words put it."""
    return content_embedding(entry.item) if entry.embedding is None else entry.embedding


def _blended(
    learned: NDArray[np.float64],
    support: NDArray[np.float64],
    catalogue: Sequence[EmbeddedItem],
) -> dict[str, Embedding]:
    """Return unit embeddings: company by its share, content by the rest."""
    if not catalogue:
        return {}
    content = np.stack([content_embedding(entry.item) for entry in catalogue]).astype(np.float64)
    rows = blended_embeddings(learned, support, content).astype(np.float32)  # (N, 64)
    return {
        entry.item.item_id: row for entry, row in zip(catalogue, rows, strict=True) if row.any()
    }


async def _move_users(
    store: PostgresStore,
    training: PostgresTraining,
    embeddings: Mapping[str, Embedding],
    rule: EmbeddingRule,
) -> int:
    """Replay every user's recent interactions; return how many users were moved."""
    last, moved = "", 0
    while user_ids := await training.user_ids_after(last):
        async with store.transaction() as transaction:
            rows = await transaction.users(user_ids)
            await transaction.put_users([replayed(row, embeddings, rule) for row in rows.values()])
        last, moved = user_ids[-1], moved + len(rows)
    return moved


def replayed(row: UserRow, embeddings: Mapping[str, Embedding], rule: EmbeddingRule) -> UserRow:
    """Return the user with an embedding made anew from the recent interactions."""
    state = np.zeros(EMBEDDING_DIMENSION)
    before = max(row.interactions - len(row.recent), 0)
    for place, past in enumerate(row.recent):
        item = embeddings.get(past.item_id)
        if item is None:
            continue
        state += step_size(past.action, 0.0, before + place, rule) * (item - state)
        length = float(np.linalg.norm(state))
        state = state / length if length > 0 else state
    return UserRow(
        user_id=row.user_id,
        embedding=state.astype(np.float32),
        covers_until_ms=row.covers_until_ms,
        interactions=row.interactions,
        recent=row.recent,
        exposures=row.exposures,
    )
