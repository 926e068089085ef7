"""Outages in mid-load: what was acknowledged is learned, and once."""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from attune.contract.event import Event
from kafka_consumers.groups import EventRunner, event_runners
from origin.event_log import EVENTS, open_event_log
from origin.event_log.broker import process
from origin.event_log.port import EventLog, LogUnavailableError
from origin.storage.database import connection_pool
from origin.storage.postgres import PostgresStore
from tests.integration.consumers.traffic import (
    assert_same,
    entries,
    events,
    fill,
    learned,
    reference,
)


async def _write(log: EventLog, traffic: Sequence[Event]) -> None:
    """Append all of it; what is not confirmed is sent again, as the edge does."""
    for start in range(0, len(traffic), 50):
        while True:
            try:
                await log.append(EVENTS, entries(traffic[start : start + 50]))
                break
            except LogUnavailableError:
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.05)


async def _learn(
    log: EventLog, url: str, traffic: Sequence[Event], trouble: asyncio.Task
) -> list[EventRunner]:
    async with connection_pool(url, 4) as pool:
        store = PostgresStore(pool)
        await fill(store)
        runners = event_runners(log, store)
        stopping = asyncio.Event()
        running = asyncio.gather(*(runner.run(stopping) for runner in runners))
        try:
            async with asyncio.timeout(90):
                await asyncio.gather(_write(log, traffic), trouble)
                while min(one.progress.events for one in runners) < len(traffic):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            stopping.set()
            await asyncio.wait_for(running, 5)
    return runners


async def test_cut_connections_lose_nothing_and_double_nothing(new_postgres_url: str) -> None:
    async def cut() -> None:
        connection = await asyncpg.connect(new_postgres_url)
        for _ in range(6):
            await asyncio.sleep(0.3)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await connection.close()

    traffic = events(2_000, users=30)
    async with await open_event_log(new_postgres_url, None) as log:
        runners = await _learn(log, new_postgres_url, traffic, asyncio.create_task(cut()))
    assert sum(one.progress.outages for one in runners) > 0
    assert_same(await learned(new_postgres_url), await reference(traffic))


@pytest.mark.kafka
def test_a_killed_broker_comes_back_with_all_that_it_acknowledged(
    new_postgres_url: str, tmp_path: Path
) -> None:
    broker = process.Broker(tmp_path / "kafka", process.free_port())
    traffic = events(2_000, users=30)

    async def kill_and_restart() -> None:
        await asyncio.sleep(0.7)
        pid = process.running_pid(broker)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(process.start, broker)

    async def run() -> None:
        async with await open_event_log(new_postgres_url, broker.bootstrap_servers) as log:
            await _learn(log, new_postgres_url, traffic, asyncio.create_task(kill_and_restart()))

    try:
        process.start(broker)
        asyncio.run(run())
    finally:
        process.stop(broker)
    found, expected = asyncio.run(learned(new_postgres_url)), asyncio.run(reference(traffic))
    assert_same(found, expected)


async def test_a_broker_that_is_not_there_is_an_outage_with_its_address(
    new_postgres_url: str,
) -> None:
    address = f"127.0.0.1:{process.free_port()}"
    with pytest.raises(LogUnavailableError, match=address):
        await open_event_log(new_postgres_url, address)
