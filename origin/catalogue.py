"""Writing to the catalogue: items are stored and, from their content, placed among the others."""

from collections.abc import Sequence

from attune.contract.item import Item
from origin.content_embedding import VERSION, content_embedding
from origin.store import CatalogueStore, ServingStore


async def write_items(
    catalogue: CatalogueStore, serving: ServingStore, items: Sequence[Item], now_ms: int
) -> int:
    """Insert or replace the items; return how many were new.

    Those without an embedding get the one that follows from their words, so that retrieval finds
    them at once and events that are learned next move users somewhere.
    """
    created = await catalogue.put_items(items, now_ms)
    rows = await serving.item_rows([item.item_id for item in items])
    bare = [item for item in items if (row := rows.get(item.item_id)) and row.embedding is None]
    if bare:
        embeddings = {item.item_id: content_embedding(item) for item in bare}
        await catalogue.put_embeddings(VERSION, embeddings)
    return created
