"""The stores that one contract holds for: PostgreSQL, each test with a database, and memory."""

from collections.abc import AsyncIterator

import pytest

from origin.storage.database import connection_pool
from origin.storage.memory import MemoryStore
from origin.storage.postgres import PostgresStore

Store = PostgresStore | MemoryStore


@pytest.fixture(params=["postgres", "memory"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    async with connection_pool(request.getfixturevalue("new_postgres_url"), 4) as pool:
        yield PostgresStore(pool)
