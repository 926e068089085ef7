"""The runner on a real PostgreSQL: what it learns, what it puts aside, how it stops."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from attune.contract.event import pack_event
from kafka_consumers.batch import EVENTS_TOPIC, Batch
from kafka_consumers.groups import EVENT_GROUPS, USERS, EventRunner, event_runners
from kafka_consumers.runner import Processor, Runner
from kafka_consumers.users import Users
from origin.event_log import EVENTS
from origin.event_log.embedded import EmbeddedEventLog
from origin.storage.database import connection_pool
from origin.storage.port import LearningTransaction
from origin.storage.postgres import PostgresStore
from tests.integration.consumers.traffic import (
    START_MS,
    assert_same,
    entries,
    events,
    fill,
    learned,
    reference,
)
from tests.unit.kafka_consumers.events import interaction

WEEK_MS = 7 * 24 * 3600 * 1000


class Stack:
    """A log, a store and the runner between them."""

    def __init__(self, log: EmbeddedEventLog, store: PostgresStore) -> None:
        self.log = log
        self.store = store

    async def learn(self, records: int, *more: Processor[Batch]) -> EventRunner:
        """Run until ``records`` records are behind both groups; the deadline is the test's.

        Returns the runner of the group of users; ``more`` processors work in it.
        """
        _, learning = event_runners(self.log, self.store)
        runner = Runner(self.log, self.store, EVENTS_TOPIC, USERS, (Users(), *more))
        stopping = asyncio.Event()
        running = asyncio.gather(runner.run(stopping), learning.run(stopping))
        try:
            async with asyncio.timeout(30):
                while await self.processed() < records:
                    assert not running.done(), running
                    await asyncio.sleep(0.02)
        finally:
            stopping.set()
            await asyncio.wait_for(running, 5)
        return runner

    async def processed(self) -> int:
        """Return how many records are behind the slower group."""
        partitions = range(await self.log.partitions(EVENTS))
        async with self.store.transaction() as transaction:
            offsets = [
                await transaction.next_offsets(group, EVENTS, partitions) for group in EVENT_GROUPS
            ]
        return min(sum(one.values()) for one in offsets)


@pytest.fixture
async def stack(new_postgres_url: str) -> AsyncIterator[Stack]:
    async with (
        await EmbeddedEventLog.open(new_postgres_url, 4, WEEK_MS) as log,
        connection_pool(new_postgres_url, 4) as pool,
    ):
        store = PostgresStore(pool)
        await fill(store)
        yield Stack(log, store)


async def test_batches_teach_exactly_what_single_events_would(
    stack: Stack, new_postgres_url: str
) -> None:
    traffic = events(1500, users=25)
    for start in range(0, len(traffic), 100):
        await stack.log.append(EVENTS, entries(traffic[start : start + 100]))
    runner = await stack.learn(len(traffic))
    assert runner.progress.events == len(traffic)
    assert_same(await learned(new_postgres_url), await reference(traffic))


async def test_an_event_that_comes_again_teaches_nothing(
    stack: Stack, new_postgres_url: str
) -> None:
    traffic = events(200, users=5)
    await stack.log.append(EVENTS, entries(traffic) + entries(traffic[::2]))
    await stack.learn(300)
    await stack.log.append(EVENTS, entries(traffic))
    runner = await stack.learn(500)
    assert (runner.progress.events, runner.progress.duplicates) == (0, 200)
    assert_same(await learned(new_postgres_url), await reference(traffic))


async def test_poison_is_put_aside_with_its_reason_while_the_partition_goes_on(
    stack: Stack, new_postgres_url: str
) -> None:
    traffic = events(100, users=3)
    good = entries(traffic)
    poison = [(key, b"\xc1") for key, _ in good[::10]]
    await stack.log.append(EVENTS, good[:50] + poison + good[50:])
    runner = await stack.learn(110)
    assert runner.progress.dead_letters == 10
    assert (await stack.store.counts()).dead_letters == 10
    assert_same(await learned(new_postgres_url), await reference(traffic))


class Allergic:
    """A processor that cannot bear one item."""

    async def process(self, batch: Batch, transaction: LearningTransaction) -> None:
        for event in batch.interactions:
            if event.item_id == "item-13":
                raise ArithmeticError("division by the thirteenth")

    def forget(self) -> None:
        pass


async def test_an_event_that_breaks_a_processor_is_put_aside_and_no_other_group_minds(
    stack: Stack, new_postgres_url: str
) -> None:
    traffic = [
        interaction(f"item-{number % 20}", at_ms=START_MS, event_id=str(number))
        for number in range(60)
    ]
    await stack.log.append(EVENTS, entries(traffic))
    await stack.learn(60, Allergic())
    assert (await stack.store.counts()).dead_letters == 3
    found = await learned(new_postgres_url)
    spared = [event for event in traffic if event.item_id != "item-13"]
    assert found.users == (await reference(spared)).users
    assert found.popularity.keys() == {event.item_id for event in traffic}


async def test_two_runners_share_the_work_and_count_nothing_twice(
    stack: Stack, new_postgres_url: str
) -> None:
    traffic = events(1200, users=30)

    async def write() -> None:
        for start in range(0, len(traffic), 40):
            await stack.log.append(EVENTS, entries(traffic[start : start + 40]))
            await asyncio.sleep(0.02)

    runners = await asyncio.gather(stack.learn(1200), stack.learn(1200), write())
    learned_by = [runner.progress.events for runner in runners[:2] if runner is not None]
    assert sum(learned_by) == 1200
    assert all(learned_by)
    assert_same(await learned(new_postgres_url), await reference(traffic))


async def test_without_consent_nothing_is_kept(stack: Stack) -> None:
    packed_event = pack_event(interaction("item-1")) | {"consent": "none"}
    from origin.packing import packed

    await stack.log.append(EVENTS, [(b"ann", packed(packed_event))])
    runner = await stack.learn(1)
    assert runner.progress.withheld == 1
    counts = await stack.store.counts()
    assert (counts.users, counts.interactions, counts.dead_letters) == (0, 0, 0)


async def test_a_cohorts_event_counts_for_the_crowd_and_for_no_user(
    stack: Stack, new_postgres_url: str
) -> None:
    await stack.log.append(EVENTS, entries([interaction("item-1", user_id=None)]))
    await stack.learn(1)
    found = await learned(new_postgres_url)
    assert not found.users
    assert not found.user_items
    assert found.popularity.keys() == {"item-1"}
