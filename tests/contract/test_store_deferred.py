"""What every store promises of events that wait, on PostgreSQL and in memory."""

import pytest

from attune.contract.erasure import ErasureRequest
from kafka_consumers.batch import Batch
from kafka_consumers.catching_up import CatchingUp
from kafka_consumers.deferred import Boundary
from kafka_consumers.users import Users
from origin.storage.database import connection_pool
from origin.storage.deferred import DeferredEvents
from origin.storage.postgres import PostgresStore
from origin.storage.postgres_stream import PostgresStream
from tests.contract.conftest import Store
from tests.unit.kafka_consumers.events import HOUR_MS, interaction


async def defer(store: Store, *rows: DeferredEvents) -> None:
    async with store.transaction() as transaction:
        await transaction.own_users()
        await transaction.defer(rows)


async def latest(store: Store) -> dict[str, int]:
    async with store.transaction() as transaction:
        return dict(await transaction.deferred_latest(["ann", "bob", "cy"]))


async def test_events_wait_behind_those_that_do_and_are_taken_once(store: Store) -> None:
    await defer(store, DeferredEvents("ann", 1, 5, b"x"), DeferredEvents("bob", 1, 0, b"y"))
    await defer(store, DeferredEvents("ann", 2, 3, b"zz"))
    assert await latest(store) == {"ann": 5, "bob": 0}
    async with store.transaction() as transaction:
        before = await transaction.own_users()
        taken = await transaction.take_deferred(["ann", "cy"])
    assert list(taken) == [DeferredEvents("ann", 3, 5, b"xzz")]
    assert await latest(store) == {"bob": 0}
    async with store.transaction() as transaction:
        assert await transaction.own_users() == before


async def test_a_page_is_taken_from_outside_and_owners_of_users_notice(store: Store) -> None:
    await defer(store, *(DeferredEvents(name, 1, 5, b"x") for name in ("ann", "bob", "cy")))
    async with store.transaction() as transaction:
        before = await transaction.own_users()
    async with store.transaction() as transaction:
        taken = await transaction.take_deferred_page(2)
    assert sorted(row.user_id for row in taken) == ["ann", "bob"]
    assert await latest(store) == {"cy": 5}
    async with store.transaction() as transaction:
        assert await transaction.own_users() != before


async def test_what_a_failed_transaction_took_waits_still(store: Store) -> None:
    await defer(store, DeferredEvents("ann", 1, 5, b"x"))

    async def fail() -> None:
        async with store.transaction() as transaction:
            await transaction.take_deferred_page(9)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await latest(store) == {"ann": 5}


async def test_erasing_a_user_erases_what_waits(store: Store) -> None:
    await defer(store, DeferredEvents("ann", 1, 5, b"x"), DeferredEvents("bob", 1, 5, b"x"))
    async with store.transaction() as transaction:
        await transaction.erase_user(ErasureRequest("e1", "ann", 9), ("events",))
    assert await latest(store) == {"bob": 5}


async def test_processors_and_the_daily_batch_share_a_store(store: Store) -> None:
    users = Users(boundary=Boundary(HOUR_MS))
    for hour, caught_up in ((1, 0), (9, 1), (10, 0), (20, 0), (21, 0)):
        async with store.transaction() as transaction:
            event = interaction(f"item-{hour}", at_ms=hour * HOUR_MS)
            await users.process(Batch.of([event], 0), transaction)
        if caught_up:
            assert await CatchingUp(store).run(0) == caught_up
    row = (await store.user_state("ann")).row
    assert [entry.item_id for entry in row.recent] == [f"item-{n}" for n in (1, 9, 10, 20, 21)]
    assert (row.interactions, users.boundary.deferred) == (5, 2)
    assert await latest(store) == {}


async def test_a_rebuild_forgets_what_waits(new_postgres_url: str) -> None:
    async with connection_pool(new_postgres_url, 2) as pool:
        store = PostgresStore(pool)
        await defer(store, DeferredEvents("ann", 1, 5, b"x"))
        await PostgresStream(pool).forget_learned("forwarder")
        assert await latest(store) == {}
