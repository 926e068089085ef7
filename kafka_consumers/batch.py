"""A batch: what one transaction processes, decoded once, in columns for all processors."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import count
from operator import attrgetter, itemgetter
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from attune.contract.decode import ContractError
from attune.contract.event import Event, Impression, Interaction
from kafka_consumers.event_rows import (
    IMPRESSION,
    EventRow,
    InteractionRow,
    event_of,
    read_row,
    row_of,
)
from kafka_consumers.reading import Topic
from origin.event_log import EVENTS
from origin.event_log.port import Record

APPENDED_AT_MS = itemgetter(Record._fields.index("appended_at_ms"))


class Codes(NamedTuple):
    """A column of ids as numbers: row n names ``ids[codes[n]]``, or nothing where that is -1."""

    ids: list[str]
    codes: NDArray[np.int32]


class Batch:
    """Events that no transaction processed before, in the order of the log per user.

    A processor that learns from every event works on the columns (``at_ms``, ``actions``,
    ``by_user``, ``by_item``; N rows each), which are made when they are first asked for. One that
    needs few events asks for those (``event``), for making an object of each costs 2 us.

    Args:
        rows: the events.
        at_ms: when each happened, never after it was appended. (N,)
        now_ms: when the batch is processed, which for imported history is long after it happened.
    """

    def __init__(
        self,
        rows: Sequence[EventRow],
        at_ms: NDArray[np.int64],
        now_ms: int,
    ) -> None:
        self.rows = rows
        self.at_ms = at_ms
        self.now_ms = now_ms

    @classmethod
    def of(cls, events: Iterable[Event], now_ms: int) -> Self:
        """Return a batch of the contract's events."""
        rows = [row_of(event) for event in events]
        return cls(rows, column([row.occurred_at_ms for row in rows]), now_ms)

    @classmethod
    def read(cls, rows: Sequence[EventRow], records: Sequence[Record], now_ms: int) -> Self:
        """Return a batch of rows that were read from these records.

        A device's clock that runs ahead would put its clicks above everybody's in every decayed
        sum until the world has caught up: nothing happened after it was appended.
        """
        said = column(list(map(attrgetter("occurred_at_ms"), rows)))
        appended = column(list(map(APPENDED_AT_MS, records)))
        return cls(rows, np.minimum(said, appended), now_ms)

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.rows)

    @cached_property
    def _only_interactions(self) -> bool:
        return set(map(type, self.rows)) <= {InteractionRow}

    @cached_property
    def actions(self) -> NDArray[np.int64]:
        """Return each row's place in ``ACTIONS``, -1 for an impression. (N,)"""
        if self._only_interactions:
            return column(list(map(attrgetter("action"), self.rows)))
        return column(
            [row.action if isinstance(row, InteractionRow) else IMPRESSION for row in self.rows]
        )

    @cached_property
    def by_user(self) -> Codes:
        """Return who did it; nobody where the consent is not full."""
        return codes(list(map(attrgetter("user_id"), self.rows)))

    @cached_property
    def by_item(self) -> Codes:
        """Return the item of each interaction; none for impressions."""
        if self._only_interactions:
            return codes(list(map(attrgetter("item_id"), self.rows)))
        return codes(
            [row.item_id if isinstance(row, InteractionRow) else None for row in self.rows]
        )

    def event(self, place: int) -> Event:
        """Return one row as the contract's event."""
        return event_of(self.rows[place], int(self.at_ms[place]))

    @cached_property
    def events(self) -> Sequence[Event]:
        """Return all rows as the contract's events."""
        return list(map(event_of, self.rows, self.at_ms.tolist()))

    @property
    def interactions(self) -> Iterator[Interaction]:
        """Return the interactions, in order."""
        return (event for event in self.events if isinstance(event, Interaction))

    @property
    def impressions(self) -> Iterator[Impression]:
        """Return the impressions, in order."""
        return (event for event in self.events if isinstance(event, Impression))


def read_record(record: Record) -> EventRow | None:
    """Return the event in a record; None where its consent does not allow it to be kept.

    Raises:
        ValueError: when it is none, or lies where its user's other events do not: a user's
            events are in order, and owned by one process, because they share a key.
    """
    row = read_row(record.value)
    if row.user_id is not None and row.user_id.encode() != record.key:
        raise ContractError("user_id", "is not the key of the record")
    return row if row.consent else None


EVENTS_TOPIC = Topic(EVENTS, read_record, Batch.read)


def column(values: Sequence[int]) -> NDArray[np.int64]:
    """Return whole numbers as a column."""
    return np.array(values, dtype=np.int64)


def codes(ids: Sequence[str | None]) -> Codes:
    """Return the ids as numbers, in the order of their first appearance.

    >>> codes(["ann", None, "bob", "ann"])
    Codes(ids=['ann', 'bob'], codes=array([ 0, -1,  1,  0], dtype=int32))
    """
    places: dict[str | None, int] = dict(zip(dict.fromkeys(ids), count()))
    numbers = np.array(list(map(places.__getitem__, ids)), dtype=np.int32)
    if None in places:
        # Take the place of "nobody" out of the count.
        nobody = places.pop(None)
        numbers = np.where(numbers == nobody, -1, numbers - (numbers > nobody)).astype(np.int32)
    return Codes([one for one in places if one is not None], numbers)
