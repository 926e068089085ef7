"""Connecting to a real PostgreSQL."""

import asyncio

import numpy as np

from origin.storage.database import connection_pool, migrate


async def test_processes_that_migrate_at_once_apply_each_migration_once(
    empty_postgres_url: str,
) -> None:
    applied = await asyncio.gather(*(migrate(empty_postgres_url) for _ in range(3)))
    names = [name for batch in applied for name in batch]
    assert len(names) == len(set(names)) > 0
    assert names == sorted(names)
    assert await migrate(empty_postgres_url) == ()


async def test_a_halfvec_survives_the_way_there_and_back(postgres_url: str) -> None:
    vector = np.linspace(-1, 1, 64, dtype=np.float32)
    async with connection_pool(postgres_url, 1) as pool:
        returned = await pool.fetchval("SELECT $1::halfvec", vector)
    assert np.abs(returned - vector).max() < 1e-3


async def test_levels_add_in_the_log_domain(postgres_url: str) -> None:
    async with connection_pool(postgres_url, 1) as pool:
        assert await pool.fetchval("SELECT add_levels(3.0, 3.0)") == 4.0
        assert await pool.fetchval("SELECT add_levels(500000.0, 0.0)") == 500000.0
        merged = await pool.fetchval("SELECT add_levels('{1,2}'::float8[], '{1,2}'::float8[])")
    assert merged == [2.0, 3.0]
