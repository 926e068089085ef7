"""Writing to the catalogue: items are stored and, from their content, placed among the others."""

import asyncio
from collections.abc import Sequence

from attune.contract.item import Item
from origin.content_embedding import VERSION, content_embedding
from origin.storage.port import CatalogueStore, Embedding, ItemRow, ServingStore


async def write_items(
    catalogue: CatalogueStore, serving: ServingStore, items: Sequence[Item], now_ms: int
) -> int:
    """Insert or replace the items; return how many were new.

    Those that training has not placed get the embedding that follows from their words, so that
    retrieval finds them at once and events that are learned next move users somewhere.
    """
    created = await catalogue.put_items(items, now_ms)
    rows = await serving.item_rows([item.item_id for item in items])
    bare = [item for item in items if _stands_by_its_words(rows.get(item.item_id))]
    if bare:
        # In a thread: ten thousand items take a second, during which answers must go on.
        embeddings = await asyncio.to_thread(content_embeddings, bare)
        await catalogue.put_embeddings(VERSION, embeddings)
    return created


def content_embeddings(items: Sequence[Item]) -> dict[str, Embedding]:
    """Return the embeddings that follow from the items' words, by id."""
    return {item.item_id: content_embedding(item) for item in items}


def _stands_by_its_words(row: ItemRow | None) -> bool:
    """Return whether the item has no embedding yet, or one from words that may have changed."""
    return row is not None and row.embedding_version in ("", VERSION)
