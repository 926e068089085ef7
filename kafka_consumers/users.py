"""The users processor: each user's state (embedding, recent items, exposures), batch by batch.

An interaction's age is how much older it is than the latest that the embedding has seen. So a
late one moves the user less, as the rule wants, while a stream that lags as a whole, or history
that is imported, teaches as much as it would have taught in its time.

Everything is worked out in columns. What one user's events do to each other (the latest time so
far, the number of interactions before) follows from the events sorted by user.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from attune.embedding import EmbeddingRule
from kafka_consumers.batch import Batch
from kafka_consumers.deferred import Boundary, due
from kafka_consumers.embeddings import latest_before, move, occurrences, step_sizes
from kafka_consumers.event_rows import IMPRESSION, ImpressionRow
from kafka_consumers.item_vectors import ItemVectors
from kafka_consumers.user_states import UserStates
from origin.storage.port import EXPOSURES_MAX, USER_RECENT_MAX, LearningTransaction
from origin.storage.user_columns import recent_heads, without_oldest

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Users:
    """The processor of the users' rows; it remembers the users that its partitions own."""

    rule: EmbeddingRule = field(default_factory=EmbeddingRule)
    states: UserStates = field(default_factory=UserStates)
    vectors: ItemVectors = field(default_factory=ItemVectors)
    boundary: Boundary = field(default_factory=Boundary)

    async def process(self, batch: Batch, transaction: LearningTransaction) -> None:
        """Learn from active users' events; let those of others wait."""
        if not batch.by_user.ids:
            return
        places = await self.states.places(batch.by_user.ids, transaction)
        now = await due(batch, places, self.states, self.boundary, transaction)
        if now is batch:
            await self._learn(batch, places, transaction)
        else:
            await self.learn(now, transaction)

    async def learn(self, batch: Batch, transaction: LearningTransaction) -> None:
        """Write the rows of the users that the batch names, as they are after it."""
        if batch.by_user.ids:
            places = await self.states.places(batch.by_user.ids, transaction)
            await self._learn(batch, places, transaction)

    async def _learn(self, batch: Batch, places: Numbers, transaction: LearningTransaction) -> None:
        vectors, known = await self.vectors.of(batch.by_item.ids, transaction)
        events = _user_events(batch, places)
        seen, covers = _before(events, self.states)
        _move(events, seen, covers, vectors, known, self)
        _remember(batch, events, self.states)
        _expose(batch, events, self.states)
        await transaction.put_user_columns(self.states.stored(places))

    def forget(self) -> None:
        """Drop the users."""
        self.states.forget()


@dataclass(frozen=True, slots=True)
class _Events:
    """The events of a batch that name a user, in order; E of them.

    ``rows``: their places in the batch. ``users``: their users' places in the states. ``items``:
    places in the batch's items. ``acts``: the places, among these, of interactions.
    """

    rows: Numbers
    users: Numbers
    items: Numbers
    actions: Numbers
    at_ms: Numbers
    acts: Numbers


def _user_events(batch: Batch, places: Numbers) -> _Events:
    rows = np.flatnonzero(batch.by_user.codes >= 0)
    actions = batch.actions[rows]
    return _Events(
        rows=rows,
        users=places[batch.by_user.codes[rows]],
        items=batch.by_item.codes[rows].astype(np.int64),
        actions=actions,
        at_ms=batch.at_ms[rows],
        acts=np.flatnonzero(actions != IMPRESSION),
    )


def _before(events: _Events, states: UserStates) -> tuple[Numbers, Numbers]:
    """Return, for each interaction, how many its user had before and the latest time of those.

    Updates both in the states.
    """
    users, at_ms = events.users[events.acts], events.at_ms[events.acts]
    seen = states.interactions[users] + occurrences(users)
    covers = latest_before(users, at_ms, states.covers_until_ms[users])
    np.maximum.at(states.covers_until_ms, users, at_ms)
    np.add.at(states.interactions, users, 1)
    return seen, covers


def _move(
    events: _Events,
    seen: Numbers,
    covers: Numbers,
    vectors: NDArray[np.float32],
    known: NDArray[np.bool_],
    processor: Users,
) -> None:
    """Move the users' embeddings towards the items that have one."""
    acts = events.acts
    ages = covers - events.at_ms[acts]
    steps = step_sizes(events.actions[acts], ages, seen, processor.rule)
    steps[~known[events.items[acts]]] = 0.0
    move(processor.states.embeddings, events.users[acts], events.items[acts], vectors, steps)


def _remember(batch: Batch, events: _Events, states: UserStates) -> None:
    """Add interactions to the recent items, in order; the oldest ones make room."""
    if not len(events.acts):
        return
    # Of one user's many the last ones are enough.
    later = occurrences(events.users[events.acts][::-1])[::-1]
    acts = events.acts[later < USER_RECENT_MAX]
    names = [item_id.encode() for item_id in batch.by_item.ids]
    lengths = np.array(list(map(len, names)), dtype=np.int64)
    users, items = events.users[acts], events.items[acts]
    heads = recent_heads(events.at_ms[acts], events.actions[acts], lengths[items])
    recents = states.recents
    listed: list[int] = items.tolist()
    for user, item, head in zip(users.tolist(), listed, heads, strict=True):
        recents[user] += head + names[item]
    np.add.at(states.recent_counts, users, 1)
    full: list[int] = np.unique(users[states.recent_counts[users] > USER_RECENT_MAX]).tolist()
    for user in full:
        surplus = int(states.recent_counts[user]) - USER_RECENT_MAX
        recents[user] = without_oldest(recents[user], surplus)
        states.recent_counts[user] = USER_RECENT_MAX


def _expose(batch: Batch, events: _Events, states: UserStates) -> None:
    """Count what was shown to whom, in order; acting on an item ends its count."""
    exposures = states.exposures
    states.shown[events.users[events.actions == IMPRESSION]] = True
    item_ids = batch.by_item.ids
    for place in np.flatnonzero(states.shown[events.users]).tolist():
        user = int(events.users[place])
        counts = exposures[user] or {}
        row = batch.rows[int(events.rows[place])]
        if isinstance(row, ImpressionRow):
            _show(counts, row.item_ids)
        else:
            counts.pop(item_ids[int(events.items[place])], None)
        exposures[user] = counts or None


def _show(counts: dict[str, int], item_ids: list[str]) -> None:
    for item_id in item_ids:
        # Taken out and put back: the least recently shown stand first.
        counts[item_id] = counts.pop(item_id, 0) + 1
    while len(counts) > EXPOSURES_MAX:
        del counts[next(iter(counts))]
