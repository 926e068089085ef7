"""The origin's end of the event log: opened when it answers, not only when the process starts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from origin.event_log.port import Entry, EventLog, LogUnavailableError


class LogIntake:
    """Appends to a log that may come up after the process, or be away for a while."""

    def __init__(self, open_log: Callable[[], Awaitable[EventLog]]) -> None:
        self._open_log = open_log
        self._log: EventLog | None = None
        self._opening = asyncio.Lock()

    async def append(self, topic: str, entries: Sequence[Entry]) -> Mapping[int, int]:
        """Append the records; return their last places when they are durable.

        Raises:
            LogUnavailableError: when the log did not confirm them.
        """
        return await (await self._opened()).append(topic, entries)

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        """Return for every partition the offset that the next record will get."""
        return await (await self._opened()).end_offsets(topic)

    async def is_open(self) -> bool:
        """Return whether the log answers or did so once."""
        try:
            await self._opened()
        except LogUnavailableError:
            return False
        return True

    async def close(self) -> None:
        """Finish what was accepted and disconnect."""
        if self._log is not None:
            await self._log.close()

    async def _opened(self) -> EventLog:
        if self._log is None:
            async with self._opening:
                if self._log is None:
                    self._log = await self._open_log()
        return self._log
