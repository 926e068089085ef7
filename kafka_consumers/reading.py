"""Readings: records with what they turned out to be, before anybody learns from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Generic, Protocol, Self, TypeVar, cast

from origin.event_log.port import Record
from origin.storage.port import DeadLetter


class Identified(Protocol):
    """What a record was read into: it says which of its kind it is, wherever it comes again."""

    @property
    def event_id(self) -> str:
        """Return the id under which it counts once."""
        ...

    @property
    def user_id(self) -> str | None:
        """Return whose it is, None where it is nobody's."""
        ...

    @property
    def occurred_at_ms(self) -> int:
        """Return when it happened, as far as the sender knows."""
        ...


Row = TypeVar("Row", bound=Identified)

RowReader = Callable[[Record], Row | None]
"""Returns what a record says; None where its sender's consent does not allow it to be kept.

Raises ValueError where it says nothing: then the record becomes a dead letter.
"""


BatchT = TypeVar("BatchT")


@dataclass(frozen=True, slots=True)
class Topic(Generic[Row, BatchT]):
    """A topic: its name, how a record is read, how rows become a batch.

    ``batch`` takes the rows, their records and the time at which they are processed.
    """

    name: str
    read: RowReader[Row]
    batch: Callable[[Sequence[Row], Sequence[Record], int], BatchT]


@dataclass(frozen=True, slots=True)
class Reading(Generic[Row]):
    """Records in the order of the log with their rows; ``problems`` has what could not be read."""

    records: Sequence[Record]
    rows: Sequence[Row | None]
    problems: dict[int, str] = field(default_factory=dict[int, str])

    @classmethod
    def of(cls, records: Sequence[Record], read: RowReader[Row]) -> Self:
        """Return what the records say."""
        rows: list[Row | None] = []
        problems: dict[int, str] = {}
        for record in records:
            try:
                rows.append(read(record))
            except (ValueError, OverflowError, RecursionError) as error:
                problems[len(rows)] = str(error) or type(error).__name__
                rows.append(None)
        return cls(records, rows, problems)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the readings as one, in their order."""
        if len(parts) == 1:
            return parts[0]
        problems: dict[int, str] = {}
        start = 0
        for part in parts:
            problems.update((start + place, text) for place, text in part.problems.items())
            start += len(part.records)
        return cls(
            list(chain.from_iterable(part.records for part in parts)),
            list(chain.from_iterable(part.rows for part in parts)),
            problems,
        )

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.records)

    def halves(self) -> tuple[Self, Self]:
        """Return the first half and the rest."""
        return self._part(0, len(self) // 2), self._part(len(self) // 2, len(self))

    def refused(self, problem: str) -> Self:
        """Return the same records, all of them with this problem."""
        nothing: list[Row | None] = [None] * len(self)
        return type(self)(self.records, nothing, dict.fromkeys(range(len(self)), problem))

    def readable(self) -> tuple[Sequence[Row], Sequence[Record]]:
        """Return the rows that there are, with their records."""
        if all(self.rows):  # every row is true; asking for None would compare each with it
            return cast("Sequence[Row]", self.rows), self.records
        found = [
            (row, record)
            for row, record in zip(self.rows, self.records, strict=True)
            if row is not None
        ]
        return [row for row, _ in found], [record for _, record in found]

    def ends(self) -> dict[int, int]:
        """Return for each partition the offset after its last record."""
        return {record.partition: record.offset + 1 for record in self.records}

    def dead_letters(self, now_ms: int) -> list[DeadLetter]:
        """Return the records that could not be read, as they are kept aside."""
        return [
            dead_letter(self.records[place], problem, now_ms)
            for place, problem in self.problems.items()
        ]

    def _part(self, start: int, stop: int) -> Self:
        problems = {
            place - start: text for place, text in self.problems.items() if start <= place < stop
        }
        return type(self)(self.records[start:stop], self.rows[start:stop], problems)


def chosen(
    places: Sequence[int], rows: Sequence[Row], records: Sequence[Record]
) -> tuple[Sequence[Row], Sequence[Record]]:
    """Return the rows and records at these places."""
    return [rows[place] for place in places], [records[place] for place in places]


def dead_letter(record: Record, problem: str, now_ms: int) -> DeadLetter:
    """Return the record as it is kept aside."""
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key.decode("utf-8", "backslashreplace").replace("\x00", "\\x00"),
        value=record.value,
        problem=problem.replace("\x00", "\\x00"),
        failed_at_ms=now_ms,
    )
