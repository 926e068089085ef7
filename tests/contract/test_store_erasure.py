"""What every store promises of forgetting a user, on PostgreSQL and in memory."""

import asyncio

import pytest

from attune.contract.erasure import ErasureReceipt, ErasureRequest
from origin.storage.database import connection_pool
from origin.storage.port import DeadLetter, UserItem, UserRow
from origin.storage.postgres import PostgresStore
from tests.contract.conftest import Store
from tests.contract.test_store_outcomes import NOW_MS, act, impression, served

REQUEST = ErasureRequest("e1", "ann", NOW_MS)
TOPICS = ("events", "impressions")


async def fill(store: Store) -> None:
    async with store.transaction() as transaction:
        await transaction.put_users([UserRow("ann", interactions=3), UserRow("bob")])
        await transaction.add_user_items(
            [UserItem("ann", "i0", "click", 5), UserItem("bob", "i0", "click", 5)]
        )
        await transaction.add_impressions([impression("a"), impression("b", NOW_MS + 1)], NOW_MS)
        await transaction.add_served([served("a"), served("b", at_ms=NOW_MS + 1)], NOW_MS)
        await transaction.add_interactions([act("a"), act("c", user_id="bob")], NOW_MS)
        await transaction.add_dead_letters(
            [DeadLetter("events", 0, n, "ann", b"?", "bad", NOW_MS + n) for n in (0, 1)]
        )


async def test_what_a_user_did_until_the_request_is_gone_and_counted(store: Store) -> None:
    await fill(store)
    async with store.transaction() as transaction:
        removed = await transaction.erase_user(REQUEST, TOPICS)
    assert removed == {
        "users": 1, "user_items": 1, "impressions": 1, "interactions": 1, "served_slates": 1,
        "open_slates": 1, "dead_letters": 1,
    }  # fmt: skip
    assert (await store.user_state("ann")).row.interactions == 0
    assert (await store.user_state("ann")).seen == ()
    assert (await store.user_state("bob")).seen == ("i0",)
    async with store.transaction() as transaction:
        assert list(await transaction.shown_slates(["a", "b"])) == ["b"]
        assert [one.user_id for one in await transaction.interactions_with(["a", "c"])] == ["bob"]
        again = await transaction.erase_user(REQUEST, TOPICS)
    assert not any(again.values())


async def test_the_latest_erasure_of_a_user_is_remembered(store: Store) -> None:
    async with store.transaction() as transaction:
        assert await transaction.latest_erasure_ms() == -1
    for requested_at_ms in (NOW_MS + 5, NOW_MS):
        async with store.transaction() as transaction:
            request = ErasureRequest("e", "ann", requested_at_ms)
            await transaction.erase_user(request, TOPICS)
    async with store.transaction() as transaction:
        assert await transaction.erased_users(["ann", "bob"]) == {"ann": NOW_MS + 5}
        assert await transaction.latest_erasure_ms() == NOW_MS + 5


async def test_the_first_receipt_of_a_request_stays(store: Store) -> None:
    first = ErasureReceipt("e1", NOW_MS, NOW_MS + 1, NOW_MS + 2, {"users": 1})
    for receipt in (first, ErasureReceipt("e1", NOW_MS, NOW_MS + 9, NOW_MS + 9, {"users": 0})):
        async with store.transaction() as transaction:
            await transaction.add_receipt(receipt)
    assert await store.receipt("e1") == first
    assert await store.receipt("ghost") is None


async def test_an_erasure_waits_for_the_batches_that_are_under_way(new_postgres_url: str) -> None:
    async with connection_pool(new_postgres_url, 4) as pool:
        store = PostgresStore(pool)

        async def erase() -> None:
            async with store.transaction() as transaction:
                await transaction.erase_user(REQUEST, TOPICS)

        async with store.transaction() as transaction:
            # As the runner does when it gets a partition.
            await transaction.next_offsets("g", "events", [3])
        async with store.transaction() as transaction:
            await transaction.next_offsets("g", "events", [3])
            erasing = asyncio.create_task(erase())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(erasing), 0.3)
            # The batch does not know of the erasure, and writes a user who was not there before.
            assert await transaction.erased_users(["ann"]) == {}
            await transaction.put_users([UserRow("ann", interactions=3)])
        await erasing
        assert (await store.user_state("ann")).row.interactions == 0
