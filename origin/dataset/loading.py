"""Loading: rows become records, records are written in batches, and everything is counted."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Generic, Self, TypeVar

from attune.contract.decode import ContractError
from origin.dataset.rows import DatasetError, Reject, Row

Record = TypeVar("Record")

KEYS_REMEMBERED = 500_000  # duplicates further apart are left to the store, which drops them too
REJECTS_SHOWN = 5


@dataclass(slots=True)
class Summary:
    """What became of a file's lines; `accepted` counts duplicates neither as new nor as wrong."""

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0


class RejectsFile(AbstractContextManager["RejectsFile"]):
    """The rejected lines of one file, as JSON lines; created with the first of them."""

    def __init__(self, path: Path, source: Path) -> None:
        self.path = path
        self.first: list[Reject] = []
        self._source = str(source)
        self._file: IO[str] | None = None

    def add(self, reject: Reject) -> None:
        """Write one rejected line."""
        if self._file is None:
            try:
                self._file = self.path.open("w", encoding="utf-8")
            except OSError as error:
                message = f"cannot write the rejected lines to {self.path}: {error.strerror}"
                raise DatasetError(f"{message}; choose another file with --rejects") from error
        if len(self.first) < REJECTS_SHOWN:
            self.first.append(reject)
        record = {
            "file": self._source,
            "line": reject.line,
            "field": reject.field,
            "problem": reject.problem,
        }
        self._file.write(json.dumps(record) + "\n")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        """Return the file."""
        return self


class Keys:
    """Keys that were met lately: a set of bounded size that forgets its older half."""

    def __init__(self, remembered_max: int = KEYS_REMEMBERED) -> None:
        self._half = remembered_max // 2
        self._young: set[str] = set()
        self._old: set[str] = set()

    def is_new(self, key: str) -> bool:
        """Return whether the key was not met before, and remember it."""
        if key in self._young or key in self._old:
            return False
        if len(self._young) >= self._half:
            self._old, self._young = self._young, set()
        self._young.add(key)
        return True


@dataclass(frozen=True, slots=True)
class Reading(Generic[Record]):
    """How the rows of a file become records of one kind."""

    convert: Callable[[Row], Record]
    key: Callable[[Record], str]

    def records(
        self, rows: Iterable[Row | Reject], summary: Summary, rejects: RejectsFile
    ) -> Iterator[Record]:
        """Yield the records of good rows once each; count all rows and keep the bad ones."""
        keys = Keys()
        for row in rows:
            summary.read += 1
            outcome = self._outcome(row)
            if isinstance(outcome, Reject):
                summary.rejected += 1
                rejects.add(outcome)
            elif not keys.is_new(self.key(outcome)):
                summary.duplicates += 1
            else:
                summary.accepted += 1
                yield outcome

    def _outcome(self, row: Row | Reject) -> Record | Reject:
        """Return the row's record, or why there is none."""
        if isinstance(row, Reject):
            return row
        try:
            return self.convert(row)
        except ContractError as error:
            return Reject(row.line, error.field, error.problem)


async def write_in_batches(
    records: Iterable[Record],
    write: Callable[[Sequence[Record]], Awaitable[object]],
    batch_size: int,
) -> AsyncIterator[int]:
    """Write the records in order, one batch after the other; yield the size of each."""
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) >= batch_size:
            await write(batch)
            yield len(batch)
            batch = []
    if batch:
        await write(batch)
        yield len(batch)
