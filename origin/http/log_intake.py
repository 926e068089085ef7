"""The origin's end of the event log: opened when it answers, not only when the process starts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from origin.event_log.port import Entry, EventLog, LogUnavailableError


class Intake(Protocol):
    """What the routes need of the log."""

    @property
    def spilled(self) -> int:
        """Return how many records wait in the database to be forwarded to the log."""
        ...

    async def append(self, topic: str, entries: Sequence[Entry]) -> Mapping[int, int]:
        """Append the records; return their last places when they are durable.

        Raises:
            LogUnavailableError: when nothing that lasts has confirmed them.
        """
        ...

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        """Return for every partition the offset that the next record will get."""
        ...

    async def is_open(self) -> bool:
        """Return whether records are taken at present, as far as is known."""
        ...

    async def forward(self) -> None:
        """Carry what was spilled on to the log, until cancelled."""
        ...

    async def close(self) -> None:
        """Finish what was accepted and disconnect."""
        ...


Log = TypeVar("Log", bound=EventLog, covariant=True)


class LogIntake(Generic[Log]):
    """Appends to a log that may come up after the process, or be away for a while."""

    spilled = 0

    def __init__(self, open_log: Callable[[], Awaitable[Log]]) -> None:
        self._open_log = open_log
        self._log: Log | None = None
        self._opening = asyncio.Lock()

    async def append(self, topic: str, entries: Sequence[Entry]) -> Mapping[int, int]:
        """Append the records; return their last places when they are durable."""
        return await (await self.opened()).append(topic, entries)

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        """Return for every partition the offset that the next record will get."""
        return await (await self.opened()).end_offsets(topic)

    async def is_open(self) -> bool:
        """Return whether the log answers or did so once."""
        try:
            await self.opened()
        except LogUnavailableError:
            return False
        return True

    async def forward(self) -> None:
        """Return at once: nothing is ever spilled."""

    async def close(self) -> None:
        """Finish what was accepted and disconnect."""
        if self._log is not None:
            await self._log.close()

    async def opened(self) -> Log:
        """Return the log, opened now if it was not.

        Raises:
            LogUnavailableError: when it does not answer.
        """
        if self._log is None:
            async with self._opening:
                if self._log is None:
                    self._log = await self._open_log()
        return self._log
