"""The users processor: each user's row (embedding, recent items, exposures) and known items.

An interaction's age is how much older it is than the latest that the embedding has seen. So a
late one moves the user less, as the rule wants, while a stream that lags as a whole, or history
that is imported, teaches as much as it would have taught in its time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from attune.contract.event import Event, Impression, Interaction
from attune.contract.recommendation import RecentInteraction
from attune.embedding import EmbeddingRule, step_size
from kafka_consumers.batch import Batch
from kafka_consumers.embeddings import Move, moved
from origin.storage.port import (
    EXPOSURES_MAX,
    USER_RECENT_MAX,
    Embedding,
    LearningTransaction,
    UserItem,
    UserRow,
)

MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Users:
    """The processor of everything that is keyed by a user."""

    rule: EmbeddingRule = field(default_factory=EmbeddingRule)

    async def process(self, batch: Batch, transaction: LearningTransaction) -> None:
        """Write the rows of the users that the batch names, as they are after it."""
        if not batch.users:
            return
        item_ids = {event.item_id for event in batch.interactions if event.user_id is not None}
        vectors = await transaction.embeddings(sorted(item_ids))
        await transaction.put_users(updated_users(batch, vectors, self.rule))
        if met := met_items(batch.interactions):
            await transaction.add_user_items(met)


def updated_users(
    batch: Batch, vectors: Mapping[str, Embedding], rule: EmbeddingRule
) -> list[UserRow]:
    """Return the rows of the batch's users after its events.

    Args:
        batch: the events and the rows before them.
        vectors: the embeddings of those items that have one.
        rule: how interactions move embeddings.
    """
    drafts = {user_id: _Draft(row) for user_id, row in batch.users.items()}
    for event in batch.events:
        if event.user_id is not None:
            drafts[event.user_id].apply(event, vectors, rule)
    moves = {user_id: draft.moves for user_id, draft in drafts.items() if draft.moves}
    embeddings = moved({user_id: batch.users[user_id].embedding for user_id in moves}, moves)
    return [draft.row(embeddings.get(user_id)) for user_id, draft in drafts.items()]


def met_items(interactions: Iterable[Interaction]) -> list[UserItem]:
    """Return each user's latest interaction per item; a view never hides a stronger one."""
    latest: dict[tuple[str, str], UserItem] = {}
    for event in interactions:
        if event.user_id is None:
            continue
        key = event.user_id, event.item_id
        known = latest.get(key)
        action, at_ms = event.action, event.occurred_at_ms
        if known is not None:
            action = known.action if action == "view" else action
            at_ms = max(known.occurred_at_ms, at_ms)
        latest[key] = UserItem(*key, action, at_ms)
    return list(latest.values())


class _Draft:
    """A user's row while a batch is applied to it."""

    def __init__(self, row: UserRow) -> None:
        self._row = row
        self._covers_until_ms = row.covers_until_ms
        self._interactions = row.interactions
        self._recent = list(row.recent)
        self._exposures = dict(row.exposures)
        self.moves: list[Move] = []

    def apply(self, event: Event, vectors: Mapping[str, Embedding], rule: EmbeddingRule) -> None:
        """Take in one event."""
        if isinstance(event, Impression):
            self._show([shown.item_id for shown in event.items])
        else:
            self._interact(event, vectors.get(event.item_id), rule)

    def row(self, embedding: Embedding | None) -> UserRow:
        """Return the row; ``embedding`` is None where nothing moved it."""
        return UserRow(
            user_id=self._row.user_id,
            embedding=self._row.embedding if embedding is None else embedding,
            covers_until_ms=self._covers_until_ms,
            interactions=self._interactions,
            recent=tuple(self._recent[-USER_RECENT_MAX:]),
            exposures=self._exposures,
        )

    def _show(self, item_ids: Sequence[str]) -> None:
        for item_id in item_ids:
            # Taken out and put back: the least recently shown stand first.
            self._exposures[item_id] = self._exposures.pop(item_id, 0) + 1
        while len(self._exposures) > EXPOSURES_MAX:
            del self._exposures[next(iter(self._exposures))]

    def _interact(self, event: Interaction, item: Embedding | None, rule: EmbeddingRule) -> None:
        if item is not None:
            age_hours = (self._covers_until_ms - event.occurred_at_ms) / MS_PER_HOUR
            step = step_size(event.action, age_hours, self._interactions, rule)
            self.moves.append((item, step))
        self._interactions += 1
        self._covers_until_ms = max(self._covers_until_ms, event.occurred_at_ms)
        self._exposures.pop(event.item_id, None)
        self._recent.append(RecentInteraction(event.item_id, event.action, event.occurred_at_ms))
