"""Events of users who are not active: they wait, and are learned later as if they came then.

A user is active at an event that comes within the boundary after the interaction before it; so is
a new user, for whom the first events matter most. Whoever has no active event in a batch has the
events of the batch put aside, in the batch's transaction. They are learned, before anything else
of that user, as soon as the user is active again, and otherwise by the daily batch. What a user's
row holds then is to the bit what it would hold had nothing waited (as long as items kept their
embeddings), because how the log is cut into batches changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import msgspec
import numpy as np
from numpy.typing import NDArray

from kafka_consumers.batch import Batch, column
from kafka_consumers.embeddings import latest_before
from kafka_consumers.event_rows import (
    FULL_CONSENT,
    IMPRESSION,
    NIL,
    EventRow,
    ImpressionRow,
    InteractionRow,
)
from kafka_consumers.user_states import NOTHING_WAITS, UserStates
from origin.storage.deferred import DeferredEvents
from origin.storage.port import LearningTransaction

MS_PER_DAY = 86_400_000

UNNAMED = "deferred"
"""Stands where an event's names are not needed any more."""

ARRAY_32 = b"\xdd"
"""How msgpack begins an array whose length takes 4 bytes."""

Entry = tuple[int, int, list[str]]
"""When it happened, the place in ``ACTIONS`` or ``IMPRESSION``, the items."""

DECODER = msgspec.msgpack.Decoder(list[Entry])
ENCODER = msgspec.msgpack.Encoder()

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(slots=True)
class Boundary:
    """Who is active, and how many events waited since the process began."""

    within_ms: int | None = None
    """None: everybody is active."""
    deferred: int = field(default=0, init=False)

    @classmethod
    def of_days(cls, days: int) -> "Boundary":
        """Return the boundary of the setting; 0 days is none."""
        return cls(days * MS_PER_DAY or None)


async def due(
    batch: Batch,
    places: Numbers,
    states: UserStates,
    boundary: Boundary,
    transaction: LearningTransaction,
) -> Batch:
    """Return what is to be learned now: without events that wait, with those that waited.

    Args:
        batch: the events.
        places: where the users of ``batch.by_user`` stand in the states.
        states: the users; which of them have waiting events is updated.
        boundary: who is active.
        transaction: where events wait.
    """
    waiting = states.waiting_ms[places] != NOTHING_WAITS
    active = _active(batch, places, states, waiting, boundary.within_ms)
    back = np.flatnonzero(active & waiting)
    if active.all() and not len(back):
        return batch
    taken: Sequence[DeferredEvents] = ()
    if len(back):
        user_ids = batch.by_user.ids
        taken = await transaction.take_deferred([user_ids[place] for place in back.tolist()])
        states.waiting_ms[places[back]] = NOTHING_WAITS
    codes = batch.by_user.codes
    waits = (codes >= 0) & ~active[codes]
    rows = _deferred(batch, np.flatnonzero(waits))
    if rows:
        await transaction.defer(rows)
        boundary.deferred += sum(row.count for row in rows)
        whose = places[np.flatnonzero(~active)]
        acts = np.flatnonzero(waits & (batch.actions != IMPRESSION))
        states.waiting_ms[whose] = np.maximum(states.waiting_ms[whose], 0)
        np.maximum.at(states.waiting_ms, places[codes[acts]], batch.at_ms[acts])
    return _joined(taken, batch, np.flatnonzero(~waits))


def waited_batch(taken: Sequence[DeferredEvents], now_ms: int) -> Batch:
    """Return events that waited as a batch, each user's in order."""
    rows: list[EventRow] = []
    for one in taken:
        head = ARRAY_32 + one.count.to_bytes(4, "big")
        rows += [_row(one.user_id, *entry) for entry in DECODER.decode(head + one.events)]
    return Batch(rows, column([row.occurred_at_ms for row in rows]), now_ms)


def _active(
    batch: Batch,
    places: Numbers,
    states: UserStates,
    waiting: Flags,
    within_ms: int | None,
) -> Flags:
    """Return which of the batch's users are active in it. (U,)"""
    if within_ms is None:
        return np.ones(len(places), dtype=bool)
    rows = np.flatnonzero(batch.by_user.codes >= 0)
    users, at_ms = batch.by_user.codes[rows].astype(np.int64), batch.at_ms[rows]
    known = np.maximum(states.covers_until_ms[places], states.waiting_ms[places])
    acted = np.where(batch.actions[rows] != IMPRESSION, at_ms, 0)
    before = latest_before(users, acted, known[users])
    active = (states.interactions[places] == 0) & ~waiting
    active[users[at_ms - before <= within_ms]] = True
    return active


def _deferred(batch: Batch, waits: Numbers) -> list[DeferredEvents]:
    """Return the rows at these places as they wait, by user in the order of the ids."""
    places: list[int] = waits.tolist()
    found = [(batch.rows[place], int(batch.at_ms[place])) for place in places]
    named = [(row.user_id, row, at_ms) for row, at_ms in found if row.user_id is not None]
    named.sort(key=itemgetter(0))  # stable: each user's stay in order
    deferred: list[DeferredEvents] = []
    for user_id, group in groupby(named, key=itemgetter(0)):
        events = [_entry(row, at_ms) for _, row, at_ms in group]
        latest_ms = max((at_ms for at_ms, action, _ in events if action != IMPRESSION), default=0)
        packed = b"".join(map(ENCODER.encode, events))
        deferred.append(DeferredEvents(user_id, len(events), latest_ms, packed))
    return deferred


def _joined(taken: Sequence[DeferredEvents], batch: Batch, kept: Numbers) -> Batch:
    """Return what waited and, behind it, some rows of the batch."""
    waited = waited_batch(taken, batch.now_ms)
    places: list[int] = kept.tolist()
    rows = [*waited.rows, *(batch.rows[place] for place in places)]
    return Batch(rows, np.concatenate((waited.at_ms, batch.at_ms[kept])), batch.now_ms)


def _entry(row: EventRow, at_ms: int) -> Entry:
    if isinstance(row, ImpressionRow):
        return at_ms, IMPRESSION, row.item_ids
    return at_ms, row.action, [row.item_id]


def _row(user_id: str, at_ms: int, action: int, item_ids: list[str]) -> EventRow:
    if action != IMPRESSION:
        return InteractionRow(
            event_id=UNNAMED,
            consent=FULL_CONSENT,
            user_id=user_id,
            session_id=UNNAMED,
            item_id=item_ids[0],
            action=action,
            occurred_at_ms=at_ms,
            surface=UNNAMED,
        )
    return ImpressionRow(
        event_id=UNNAMED,
        consent=FULL_CONSENT,
        user_id=user_id,
        session_id=UNNAMED,
        slate_id=UNNAMED,
        occurred_at_ms=at_ms,
        surface=UNNAMED,
        context=NIL,
        item_ids=item_ids,
        positions=[],
        propensities=[],
    )
