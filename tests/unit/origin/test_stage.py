"""Stages end at their deadline with the cheaper result, and say so."""

import asyncio

import pytest

from origin.stage import Remembered, staged
from origin.storage.port import StoreUnavailableError


async def _late() -> str:
    await asyncio.sleep(30)
    return "late"


async def _away() -> str:
    raise StoreUnavailableError("gone")


async def _done() -> str:
    return "done"


async def test_work_in_time_is_the_outcome() -> None:
    outcome = await staged(_done, 1_000, "instead")
    assert (outcome.result, outcome.degraded_by) == ("done", "")


async def test_late_work_is_ended_and_replaced() -> None:
    outcome = await staged(_late, 5, "instead")
    assert (outcome.result, outcome.degraded_by) == ("instead", "deadline")
    assert outcome.took_ms < 5_000


async def test_an_outage_is_replaced() -> None:
    outcome = await staged(_away, 1_000, "instead")
    assert (outcome.result, outcome.degraded_by) == ("instead", "outage")


async def test_a_defect_is_not_hidden() -> None:
    async def fail() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await staged(fail, 1_000, "instead")


async def test_a_remembered_value_is_read_once_for_all_who_ask() -> None:
    reads = 0

    async def read() -> int:
        nonlocal reads
        await asyncio.sleep(0.01)
        reads += 1
        return reads

    remembered = Remembered(read, age_max_ms=60_000)
    assert await asyncio.gather(*(remembered.get() for _ in range(5))) == [1] * 5
    assert await remembered.get() == 1


async def test_a_remembered_value_is_read_again_when_it_is_old() -> None:
    values = iter("ab")

    async def read() -> str:
        return next(values)

    remembered = Remembered(read, age_max_ms=0)
    assert [await remembered.get(), await remembered.get()] == ["a", "b"]


async def test_one_who_gives_up_does_not_end_the_reading_for_the_others() -> None:
    gate = asyncio.Event()

    async def read() -> str:
        await gate.wait()
        return "value"

    remembered = Remembered(read, age_max_ms=60_000)
    impatient = await staged(remembered.get, 5, "instead")
    patient = asyncio.create_task(remembered.get())
    gate.set()
    assert impatient.degraded_by == "deadline"
    assert await patient == "value"


async def test_a_failed_reading_is_tried_again() -> None:
    results = iter([StoreUnavailableError("gone"), None])

    async def read() -> str:
        if error := next(results):
            raise error
        return "value"

    remembered = Remembered(read, age_max_ms=60_000)
    with pytest.raises(StoreUnavailableError):
        await remembered.get()
    assert await remembered.get() == "value"
