"""An item stands somewhere from its first second: by its words, then by who met it."""

import numpy as np

from attune.contract.item import Item
from attune.embedding import EmbeddingRule
from origin.catalogue import write_items
from origin.content_embedding import VERSION, content_embedding
from origin.http.app import application
from origin.http.services import open_services
from origin.settings import Settings
from origin.storage.database import connection_pool
from origin.storage.port import ItemRow, UserItem
from origin.storage.postgres import PostgresStore
from origin.storage.postgres_training import PostgresTraining
from origin.training.catalogue_embeddings import refresh_embeddings
from tests.integration.origin.conftest import TestClient

NOW_MS = 1_790_000_000_000
MUGS = [Item(f"mug-{n}", "Blue mug", category="Kitchen") for n in range(6)]
SOFAS = [Item(f"sofa-{n}", "Oak sofa", category="Home") for n in range(6)]
NEW = Item("new", "Red mug", category="Kitchen")


async def rows(store: PostgresStore, *item_ids: str) -> list[ItemRow]:
    found = await store.item_rows(item_ids)
    return [found[item_id] for item_id in item_ids]


def likeness(a: ItemRow, b: ItemRow) -> float:
    assert a.embedding is not None
    assert b.embedding is not None
    return float(a.embedding @ b.embedding)


async def test_an_item_put_alone_stands_by_its_words_when_the_request_is_answered(
    new_postgres_url: str,
) -> None:
    settings = Settings(database_url=new_postgres_url)
    app = application(lambda: open_services(settings, new_postgres_url))
    with TestClient(app) as client:
        item = {"title": NEW.title, "category": NEW.category}
        assert client.put(f"/v1/items/{NEW.item_id}", json=item).status_code == 201
    async with connection_pool(new_postgres_url, 2) as pool:
        (row,) = await rows(PostgresStore(pool), "new")
    assert row.embedding_version == VERSION
    assert row.embedding is not None
    # Stored in half precision.
    assert np.allclose(row.embedding, content_embedding(NEW), rtol=0, atol=1e-3)


async def test_training_replaces_what_words_said_and_a_later_import_leaves_it(
    new_postgres_url: str,
) -> None:
    async with connection_pool(new_postgres_url, 2) as pool:
        store = PostgresStore(pool)
        await write_items(store, store, [*MUGS, *SOFAS, NEW], NOW_MS)
        new, mug, sofa = await rows(store, "new", "mug-0", "sofa-0")
        assert likeness(new, mug) > likeness(new, sofa)
        # The new mug is taken with sofas, and never with another mug: 1,300 interactions.
        taken = [
            UserItem(f"{kind}-{user}", item.item_id, "purchase", NOW_MS + place)
            for kind, items in (("a", MUGS), ("b", [*SOFAS, NEW]))
            for user in range(100)
            for place, item in enumerate(items)
        ]
        async with store.transaction() as transaction:
            await transaction.add_user_items(taken)
        done = await refresh_embeddings(
            store, PostgresTraining(pool), EmbeddingRule(), NOW_MS + 1_000
        )
        assert (done.items, done.learned) == (13, 13)
        new, mug, sofa = await rows(store, "new", "mug-0", "sofa-0")
        assert new.embedding_version == done.version != VERSION
        assert likeness(new, sofa) > likeness(new, mug)
        # Its price changed: the catalogue sends it again.
        await write_items(store, store, [NEW], NOW_MS + 2_000)
        (again,) = await rows(store, "new")
        assert again.embedding_version == done.version
        assert likeness(again, new) > 0.999
