"""The event log as the rest of the product sees it: append, join a group, read.

A topic is a fixed number of partitions, each a sequence of records with rising offsets. Records of
one key share a partition and keep the order in which they were appended. What every adapter
promises, and ``tests/contract/test_event_log.py`` holds it to:

- ``append`` returns when the records are durable, and not before, and says where they are;
- once a reader has seen an offset, no smaller one appears in that partition later;
- reading from an offset is repeatable, and says nothing to the log: where a group stands is stored
  by its processors, together with their results.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self
from zlib import crc32

Entry = tuple[bytes, bytes]
"""The key and the value of a record to append."""


class Record(NamedTuple):
    """One record as it was read. A tuple, because a reader makes 50,000 of them a second."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    appended_at_ms: int


class LogUnavailableError(Exception):
    """The log did not take or give the records in time; trying again later is right.

    After a failed append some of the records may be in the log: appending them again makes
    duplicates, which processors drop by their event id.
    """


class LogOverloadedError(LogUnavailableError):
    """More records wait to be appended than may: the log is there, but slower than its writers."""


class Member(Protocol):
    """One reader of a topic; readers of the same group share its partitions."""

    async def assignment(self) -> frozenset[int]:
        """Return the partitions that are this reader's at present."""
        ...

    async def read(
        self, positions: Mapping[int, int], records_max: int, wait_ms: int
    ) -> list[Record]:
        """Return the records at and after ``positions``, in order within each partition.

        Args:
            positions: the first offset wanted of each partition, all of them assigned.
            records_max: at most so many records.
            wait_ms: how long to wait for the first record when there is none.
        """
        ...

    async def leave(self) -> None:
        """Give the partitions back to the rest of the group."""
        ...


class EventLog(Protocol):
    """Topics that can be appended to and read."""

    @property
    def retention_ms(self) -> int:
        """Return how long records are kept at least."""
        ...

    async def append(self, topic: str, entries: Sequence[Entry]) -> Mapping[int, int]:
        """Append the records; return when they are durable.

        Returns:
            The offset of each partition's last record among them.

        Raises:
            LogUnavailableError: when the log did not confirm them in time.
        """
        ...

    async def partitions(self, topic: str) -> int:
        """Return the number of partitions of the topic."""
        ...

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Return for every partition the offset that the next record will get."""
        ...

    async def offsets_at(self, topic: str, time_ms: int) -> dict[int, int]:
        """Return for every partition its first offset at or after the time, else its end.

        At time 0 that is the oldest record that is still kept.
        """
        ...

    async def times_at(self, topic: str, offsets: Mapping[int, int]) -> dict[int, int]:
        """Return when the first record at or after each offset was appended, where there is one."""
        ...

    async def join(self, topic: str, group: str) -> Member:
        """Return a new reader in the group; the group shares the partitions anew."""
        ...

    async def prune(self, topic: str) -> int:
        """Drop records older than the log's retention; return how many went."""
        ...

    async def close(self) -> None:
        """Release connections; appends that were accepted are finished first."""
        ...

    async def __aenter__(self) -> Self:
        """Return the log itself, to be closed at the end of the block."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the log."""
        ...


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key: the same for every adapter, process and machine.

    CRC-32 is also what librdkafka's default partitioner uses, so other producers agree with us.

    >>> partition_of(b"user-1", 8)
    4
    """
    return crc32(key) % partitions
