"""Who asks: what consent and store allow to be known of a visitor, the session included."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from attune.contract.bundle import BundleRequest
from attune.contract.recommendation import RecentInteraction
from attune.embedding import EmbeddingRule, updated_embedding
from attune.popularity import LASTING, MS_PER_HOUR
from origin.ranker_features import latest_items
from origin.retrieval import RetrievalQuery
from origin.stage import Stages, staged
from origin.storage.port import (
    USER_RECENT_MAX,
    Embedding,
    ItemRow,
    ServingStore,
    UserRow,
    UserState,
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor as of this request.

    ``state`` is None unless the consent is full and the store answered. ``recent`` joins what is
    stored with what the device sent, oldest first. ``embedding`` and ``interactions`` have the
    session's newer interactions applied.
    """

    state: UserState | None
    recent: tuple[RecentInteraction, ...]
    recent_rows: Mapping[str, ItemRow]
    embedding: Embedding
    interactions: int

    @property
    def hidden(self) -> frozenset[str]:
        """Items that the visitor knows already."""
        seen = () if self.state is None else self.state.seen
        return frozenset((*seen, *(past.item_id for past in self.recent)))

    def query(self, now_ms: int, entry_category: str = "") -> RetrievalQuery:
        """Return what candidates are looked for with."""
        recent_ids = tuple(latest_items(self.recent))
        latest = self.recent_rows.get(recent_ids[0]) if recent_ids else None
        return RetrievalQuery(
            user_embedding=self.embedding,
            latest_embedding=None if latest is None else latest.embedding,
            recent_ids=recent_ids,
            recent_levels={
                item_id: row.levels[LASTING]
                for item_id in recent_ids
                if (row := self.recent_rows.get(item_id)) is not None and row.levels
            },
            now_ms=now_ms,
            entry_category=entry_category,
        )


async def visitor_of(
    request: BundleRequest,
    store: ServingStore,
    rule: EmbeddingRule,
    now_ms: int,
    deadline_ms: float,
    stages: Stages,
) -> Visitor:
    """Return who asks. Nothing keyed by a user is read unless the consent is full."""
    state: UserState | None = None
    if request.consent.allows_user_data and request.user_id is not None:
        user_id = request.user_id
        outcome = await staged(lambda: store.user_state(user_id), deadline_ms, None)
        stages["user"] = outcome
        state = outcome.result
    row = UserRow("") if state is None else state.row
    session = request.recent if request.consent.allows_events else ()
    recent = joined_history(row.recent, session)
    rows: Mapping[str, ItemRow] = {}
    if recent:
        item_ids = list({past.item_id for past in recent})
        found = await staged(lambda: store.item_rows(item_ids), deadline_ms, rows)
        stages["recent_items"] = found
        rows = found.result
    embedding, interactions = moved_embedding(row, session, rows, rule, now_ms)
    return Visitor(state, recent, rows, embedding, interactions)


def joined_history(
    stored: tuple[RecentInteraction, ...], session: tuple[RecentInteraction, ...]
) -> tuple[RecentInteraction, ...]:
    """Return both histories as one, oldest first; what stands in both is one interaction."""
    both = sorted({*stored, *session}, key=lambda past: past.occurred_at_ms)
    return tuple(both[-USER_RECENT_MAX:])


def moved_embedding(
    row: UserRow,
    session: tuple[RecentInteraction, ...],
    rows: Mapping[str, ItemRow],
    rule: EmbeddingRule,
    now_ms: int,
) -> tuple[Embedding, int]:
    """Return the embedding and the count of interactions after the session's newer ones."""
    embedding: list[float] = row.embedding.tolist()
    interactions = row.interactions
    for past in session:
        item = rows.get(past.item_id)
        if past.occurred_at_ms <= row.covers_until_ms or item is None or item.embedding is None:
            continue
        age_hours = (now_ms - past.occurred_at_ms) / MS_PER_HOUR
        vector: list[float] = item.embedding.tolist()
        embedding = updated_embedding(embedding, vector, past.action, age_hours, interactions, rule)
        interactions += 1
    return np.array(embedding, dtype=np.float32), interactions
