import random
from collections.abc import Sequence

import pytest

from attune.contract.event import Event
from attune.contract.item import Item
from kafka_consumers.batch import Batch
from kafka_consumers.catching_up import CatchingUp
from kafka_consumers.deferred import MS_PER_DAY, Boundary
from kafka_consumers.users import Users
from origin.storage.memory import MemoryStore
from origin.storage.port import UserRow
from tests.unit.kafka_consumers.events import HOUR_MS, impression, interaction
from tests.unit.kafka_consumers.test_embeddings import ITEMS

USERS = [f"user-{number}" for number in range(6)]
DAY = 24


def clicked(item_id: str, hour: int, user_id: str = "ann") -> Event:
    return interaction(item_id, user_id=user_id, at_ms=hour * HOUR_MS)


class Installation:
    """A store whose users are learned with a boundary, batch by batch."""

    def __init__(self, within_days: int) -> None:
        self.store = MemoryStore()
        self.users = Users(boundary=Boundary.of_days(within_days))

    async def open(self) -> None:
        await self.store.put_items([Item(item_id=name, title=name) for name in ITEMS], 0)
        await self.store.put_embeddings("test", ITEMS)

    async def learn(self, *events: Event) -> None:
        async with self.store.transaction() as transaction:
            await self.users.process(Batch.of(events, 0), transaction)

    async def row(self, user_id: str = "ann") -> UserRow:
        return (await self.store.user_state(user_id)).row

    async def waiting(self) -> list[str]:
        async with self.store.transaction() as transaction:
            return sorted(await transaction.deferred_latest([*USERS, "ann"]))


async def opened(within_days: int) -> Installation:
    installation = Installation(within_days)
    await installation.open()
    return installation


def history(seed: int, count: int) -> list[Event]:
    """Return events some of which come after days of silence."""
    rng = random.Random(seed)
    at_ms = MS_PER_DAY
    events: list[Event] = []
    for number in range(count):
        at_ms += rng.choice((HOUR_MS // 60, 7 * HOUR_MS))
        user_id, shown = rng.choice(USERS), rng.sample(list(ITEMS), 3)
        if rng.random() < 0.3:
            events.append(impression(str(number), *shown, user_id=user_id, at_ms=at_ms))
        else:
            late_ms = rng.choice((0, 0, 2 * MS_PER_DAY))
            action = rng.choice(("view", "click", "purchase", "dismiss"))
            event_id, when_ms = str(number), max(at_ms - late_ms, 0)
            events.append(interaction(shown[0], action, user_id, when_ms, event_id))
    return events


async def learned(
    events: Sequence[Event], within_days: int, size: int, caught_up_every: int
) -> tuple[list[str], Installation]:
    installation = await opened(within_days)
    for number, start in enumerate(range(0, len(events), size)):
        await installation.learn(*events[start : start + size])
        if caught_up_every and number % caught_up_every == caught_up_every - 1:
            await CatchingUp(installation.store, users_max=2).run(0)
    await CatchingUp(installation.store, users_max=2).run(0)
    rows = [await installation.row(user_id) for user_id in USERS]
    return [f"{row!r} {row.embedding.tobytes().hex()}" for row in rows], installation


@pytest.mark.parametrize(("size", "caught_up_every"), [(1, 0), (1, 7), (9, 0), (9, 3), (400, 0)])
async def test_what_waited_is_to_the_bit_what_event_by_event_would_have_given(
    size: int, caught_up_every: int
) -> None:
    events = history(3, 400)
    expected, _ = await learned(events, 0, 1, 0)
    found, installation = await learned(events, 1, size, caught_up_every)
    assert found == expected
    assert await installation.waiting() == []
    if size < 400:
        assert installation.users.boundary.deferred > 20


async def test_an_event_after_long_silence_waits_and_the_next_one_brings_it_along() -> None:
    installation = await opened(2)
    await installation.learn(clicked("item-1", 0), clicked("item-2", 1))
    before = await installation.row()
    await installation.learn(clicked("item-3", 5 * DAY))
    assert await installation.row() is before
    assert await installation.waiting() == ["ann"]
    await installation.learn(clicked("item-4", 6 * DAY))
    names = [entry.item_id for entry in (await installation.row()).recent]
    assert names == ["item-1", "item-2", "item-3", "item-4"]
    assert await installation.waiting() == []


async def test_a_new_user_and_events_of_nobody_never_wait() -> None:
    installation = await opened(1)
    await installation.learn(clicked("item-1", 100 * DAY), interaction("item-2", user_id=None))
    assert (await installation.row()).interactions == 1
    assert await installation.waiting() == []


async def test_the_daily_batch_learns_what_waits_once() -> None:
    installation = await opened(1)
    await installation.learn(clicked("item-1", 0))
    await installation.learn(clicked("item-2", 5 * DAY))
    await installation.learn(impression("s", "item-9", at_ms=9 * DAY * HOUR_MS))
    assert await CatchingUp(installation.store).run(0) == 2
    assert await CatchingUp(installation.store).run(0) == 0
    row = await installation.row()
    assert (row.interactions, dict(row.exposures)) == (2, {"item-9": 1})
    # The processor knows that somebody else changed its users.
    await installation.learn(clicked("item-3", 5 * DAY + 1))
    assert (await installation.row()).interactions == 3


async def test_without_a_boundary_nothing_waits_and_what_waited_before_is_learned_first() -> None:
    installation = await opened(1)
    await installation.learn(clicked("item-1", 0))
    await installation.learn(clicked("item-2", 5 * DAY))
    installation.users = Users()
    await installation.learn(clicked("item-3", 50 * DAY))
    names = [entry.item_id for entry in (await installation.row()).recent]
    assert names == ["item-1", "item-2", "item-3"]
    assert await installation.waiting() == []
