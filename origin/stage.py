"""A stage of an answer: work with a deadline and a cheaper result that stands in for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from origin.storage.port import StoreUnavailableError

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)

DegradedBy = Literal["", "deadline", "outage"]


@dataclass(frozen=True, slots=True)
class StageOutcome(Generic[Result_co]):
    """What a stage returned, and what made it a cheaper answer ("" when nothing did)."""

    result: Result_co
    degraded_by: DegradedBy = ""
    took_ms: float = 0.0


Stages = dict[str, StageOutcome[object]]
"""How each stage of an answer ended, by its name; stages write themselves down as they end."""


async def staged(
    work: Callable[[], Awaitable[Result]], deadline_ms: float, instead: Result
) -> StageOutcome[Result]:
    """Return the work's result, or ``instead`` when it is late or the store is away.

    The work is begun here: were it a coroutine already, one that is called off before its turn
    would be left behind without ever having run.
    """
    started = time.perf_counter()
    try:
        async with asyncio.timeout(deadline_ms / 1000):
            return StageOutcome(await work(), "", _ms_since(started))
    except TimeoutError:
        return StageOutcome(instead, "deadline", _ms_since(started))
    except StoreUnavailableError:
        return StageOutcome(instead, "outage", _ms_since(started))


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


class Remembered(Generic[Result]):
    """One value that is asked for often and read again only when it is older than its limit.

    Those who ask while it is being read wait for the same reading; up to ``stale_max_ms`` they are
    given the old value instead, and the reading goes on behind them.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[Result]],
        age_max_ms: float,
        stale_max_ms: float = 0.0,
    ) -> None:
        self._read = read
        self._age_max_s = age_max_ms / 1000
        self._stale_max_s = stale_max_ms / 1000
        self._value: Result | None = None
        self._read_at_s = float("-inf")
        self._reading: asyncio.Task[Result] | None = None

    async def get(self) -> Result:
        """Return the value; what reading raises reaches everyone who waits for it."""
        age_s = time.monotonic() - self._read_at_s
        if self._value is not None and age_s < self._age_max_s:
            return self._value
        if self._reading is None:
            self._reading = asyncio.create_task(self._refreshed())
            self._reading.add_done_callback(_noticed)
        if self._value is not None and age_s < self._stale_max_s:
            return self._value
        # Shielded: the deadline of one who waits must not end the reading for all.
        return await asyncio.shield(self._reading)

    async def _refreshed(self) -> Result:
        try:
            self._value = await self._read()
            self._read_at_s = time.monotonic()
            return self._value
        finally:
            self._reading = None


def _noticed(reading: asyncio.Task[Result]) -> None:
    """Look at the task's end: everyone who waited for it may have given up."""
    if not reading.cancelled():
        reading.exception()
