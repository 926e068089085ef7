"""The other topics on a real log and database: decisions are kept, users forgotten for good."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from attune.contract.erasure import ErasureRequest, pack_erasure
from attune.contract.event import Event
from attune.contract.outcome import read_outcome
from attune.contract.served import ServedSlate, pack_served_slate
from kafka_consumers.closing import SlateCloser
from kafka_consumers.groups import event_runners, record_runners
from kafka_consumers.outbox import OutboxSender
from origin.event_log import ERASURES, EVENTS, IMPRESSIONS, REWARDS
from origin.event_log.embedded import EmbeddedEventLog
from origin.packing import packed, unpacked
from origin.storage.database import connection_pool
from origin.storage.postgres import PostgresStore
from tests.contract.test_store_outcomes import served
from tests.integration.consumers.traffic import START_MS, entries, fill
from tests.unit.kafka_consumers.events import impression, interaction

WEEK_MS = 7 * 24 * 3600 * 1000


@dataclass(slots=True)
class Stack:
    """A log and a store with everything running between them."""

    log: EmbeddedEventLog
    store: PostgresStore

    async def send(self, *events: Event) -> None:
        await self.log.append(EVENTS, entries(events))

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while not await holds():  # noqa: ASYNC110 - only the database knows
                await asyncio.sleep(0.02)

    async def interactions(self, user_id: str) -> int:
        return (await self.store.user_state(user_id)).row.interactions

    async def kept(self) -> list[ServedSlate]:
        async with self.store.transaction() as transaction:
            return list(await transaction.latest_served(9))


@pytest.fixture
async def stack(new_postgres_url: str) -> AsyncIterator[Stack]:
    async with (
        await EmbeddedEventLog.open(new_postgres_url, 2, WEEK_MS) as log,
        connection_pool(new_postgres_url, 6) as pool,
    ):
        store = PostgresStore(pool)
        await fill(store)
        stopping = asyncio.Event()
        runners = [*event_runners(log, store), *record_runners(log, store)]
        running = asyncio.gather(*(runner.run(stopping) for runner in runners))
        yield Stack(log, store)
        stopping.set()
        await asyncio.wait_for(running, 10)


async def test_a_decision_is_kept_once_and_one_under_a_foreign_key_is_put_aside(
    stack: Stack,
) -> None:
    slate = served("a")
    record = packed(pack_served_slate(slate))
    await stack.log.append(IMPRESSIONS, [(b"ann", record), (b"ann", record), (b"bob", record)])

    async def is_put_aside() -> bool:
        return (await stack.store.counts()).dead_letters == 1

    await stack.until(is_put_aside)

    async def is_kept() -> bool:
        return await stack.kept() == [slate]

    await stack.until(is_kept)


async def test_a_forgotten_user_does_not_come_back_with_old_events(stack: Stack) -> None:
    asked_ms = START_MS + 60_000
    before = [interaction("item-1", at_ms=START_MS + n, event_id=f"old-{n}") for n in range(20)]
    await stack.send(*before[:10], interaction("item-2", user_id="bob", at_ms=START_MS))

    async def has_learned() -> bool:
        return await stack.interactions("ann") == 10

    await stack.until(has_learned)
    request = ErasureRequest("erasure-1", "ann", asked_ms)
    await stack.log.append(ERASURES, [(b"ann", packed(pack_erasure(request)))])

    async def is_carried_out() -> bool:
        return await stack.store.receipt("erasure-1") is not None

    await stack.until(is_carried_out)
    receipt = await stack.store.receipt("erasure-1")
    assert receipt is not None
    assert (receipt.removed["users"], receipt.removed["interactions"]) == (1, 10)
    assert await stack.interactions("ann") == 0
    after = interaction("item-3", at_ms=asked_ms + 1, event_id="new")
    late = impression("old-slate", "item-1", at_ms=asked_ms)
    await stack.send(*before[10:], late, after)

    async def has_learned_again() -> bool:
        return await stack.interactions("ann") > 0

    await stack.until(has_learned_again)
    state = await stack.store.user_state("ann")
    assert [recent.item_id for recent in state.row.recent] == ["item-3"]
    assert state.seen == ("item-3",)
    assert (await stack.store.counts()).impressions == 0
    assert await stack.interactions("bob") == 1


async def test_outcomes_reach_their_topic_when_the_window_is_over(stack: Stack) -> None:
    await stack.send(
        impression("slate", "item-1", "item-2", at_ms=START_MS),
        replace(interaction("item-2", at_ms=START_MS + 5), slate_id="slate"),
    )

    async def is_shown() -> bool:
        return (await stack.store.counts()).impressions == 1

    await stack.until(is_shown)
    far_ms = 2 * START_MS
    assert await SlateCloser(stack.store).run(far_ms) == 1
    assert await OutboxSender(stack.store, stack.log).run(far_ms) == 2
    assert await OutboxSender(stack.store, stack.log).run(far_ms) == 0
    member = await stack.log.join(REWARDS, "test")
    records = await member.read({0: 0, 1: 0}, 9, 1_000)
    await member.leave()
    outcomes = [read_outcome(unpacked(record.value)) for record in records]
    assert [(one.item_id, one.position, one.reward) for one in outcomes] == [
        ("item-1", 0, 0.0),
        ("item-2", 1, 0.5),
    ]
