"""A real origin over a real PostgreSQL, with a small catalogue that has embeddings."""

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from attune.contract.item import Item
from attune.covisitation import HALF_LIFE_HOURS, Neighbour
from attune.popularity import level, levels
from origin.http.app import application
from origin.http.services import now_ms, open_services
from origin.settings import Settings
from origin.storage.database import connection_pool
from origin.storage.port import Embedding, PopularityDelta, UserItem, UserRow
from origin.storage.postgres import PostgresStore

with warnings.catch_warnings():
    # It asks for a successor of httpx that nothing else here needs.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ITEMS = 120


def unit_vectors(count: int, seed: int = 7) -> list[Embedding]:
    vectors = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    return list(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def settings(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home: Path = tmp_path_factory.mktemp("home")
    # Generous: the machine that runs the tests may be busy with other things.
    return Settings(
        database_url=postgres_url,
        home=home,
        retrieval_deadline_ms=5_000,
        bundle_deadline_ms=10_000,
    )


@pytest.fixture(scope="module")
def client(settings: Settings, postgres_url: str) -> Iterator[TestClient]:
    """Return a client of an origin whose catalogue has items, one known user and some history."""
    asyncio.run(_fill(postgres_url))
    app = application(lambda: open_services(settings, postgres_url))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


async def _fill(url: str) -> None:
    vectors = unit_vectors(ITEMS)
    items = [Item(f"item-{n:03}", f"Item {n}", category=f"category-{n % 4}") for n in range(ITEMS)]
    now = now_ms()
    async with connection_pool(url, 2) as pool:
        store = PostgresStore(pool)
        await store.put_items(items, now - 86_400_000)
        named = {item.item_id: vector for item, vector in zip(items, vectors, strict=True)}
        await store.put_embeddings("test", named)
        async with store.transaction() as transaction:
            await transaction.add_popularity(
                [PopularityDelta(f"item-{n:03}", levels("click", now - n)) for n in range(40)]
            )
            await transaction.add_covisits(
                [Neighbour("item-005", "item-090", level(3.0, now, HALF_LIFE_HOURS))]
            )
            await transaction.put_users([UserRow("known", vectors[50], now - 1000, 9)])
            await transaction.add_user_items([UserItem("known", "item-050", "purchase", now)])
