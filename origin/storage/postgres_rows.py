"""How the store's values stand in PostgreSQL's rows."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import asyncpg
import numpy as np

from attune.consent import Consent
from attune.context import read_context
from attune.contract.event import Impression, ShownItem
from attune.contract.item import Item
from origin.packing import packed, unpacked
from origin.storage.port import ItemRow, UserColumns, UserRow
from origin.storage.user_columns import (
    embedding_bytes,
    floats,
    read_embeddings,
    read_exposures,
    read_recent,
)

NO_ATTRIBUTES: Mapping[str, str | float | bool] = MappingProxyType({})


def user_row(record: asyncpg.Record, user_id: str) -> UserRow:
    """Return the user in a row of ``users``."""
    return UserRow(
        user_id=user_id,
        embedding=floats(read_embeddings([record["embedding"]])[0]),
        covers_until_ms=record["covers_until_ms"],
        interactions=record["interactions"],
        recent=read_recent(record["recent"]),
        exposures=MappingProxyType(read_exposures(record["exposures"])),
    )


def user_columns(records: Sequence[asyncpg.Record]) -> UserColumns:
    """Return rows of ``users`` as columns."""
    return UserColumns(
        user_ids=[record["user_id"] for record in records],
        embeddings=read_embeddings([record["embedding"] for record in records]),
        covers_until_ms=np.array([record["covers_until_ms"] for record in records], np.int64),
        interactions=np.array([record["interactions"] for record in records], np.int64),
        recents=[record["recent"] for record in records],
        exposures=[record["exposures"] for record in records],
    )


def user_values(columns: UserColumns) -> tuple[list[object], ...]:
    """Return the columns of ``users``, in the order of the statement."""
    return (
        [*columns.user_ids],
        [*embedding_bytes(columns.embeddings)],
        columns.covers_until_ms.tolist(),
        columns.interactions.tolist(),
        [*columns.recents],
        [*columns.exposures],
    )


def item_row(record: asyncpg.Record) -> ItemRow:
    """Return the item in a row of ``items`` joined with its counters."""
    return ItemRow(
        item=Item(
            item_id=record["item_id"],
            title=record["title"],
            description=record["description"],
            category=record["category"],
            tags=tuple(record["tags"]),
            image_url=record["image_url"],
            clip_url=record["clip_url"],
            item_url=record["item_url"],
            price=record["price"],
            available=record["available"],
            published_at_ms=record["published_at_ms"],
            attributes=_attributes(record["attributes"]),
        ),
        first_seen_ms=record["first_seen_ms"],
        embedding=record["embedding"],
        embedding_version=record["embedding_version"],
        levels=tuple(record["levels"] or ()),
    )


def _attributes(text: str | None) -> Mapping[str, str | float | bool]:
    return NO_ATTRIBUTES if text is None else MappingProxyType(json.loads(text))


def item_object(item: Item) -> dict[str, object]:
    """Return the item as an object whose fields are the columns of ``items``."""
    return {
        "item_id": item.item_id,
        "title": item.title,
        "description": item.description,
        "category": item.category,
        "tags": list(item.tags),
        "image_url": item.image_url,
        "clip_url": item.clip_url,
        "item_url": item.item_url,
        "price": item.price,
        "available": item.available,
        "published_at_ms": item.published_at_ms,
        "attributes": dict(item.attributes),
    }


def impression_values(impression: Impression) -> tuple[object, ...]:
    """Return the values of a row of ``impressions``, in the order of the statement."""
    return (
        impression.slate_id,
        impression.event_id,
        impression.consent.value,
        impression.user_id,
        impression.session_id,
        impression.occurred_at_ms,
        impression.surface,
        packed(impression.context.pack()),
        impression.policy_version,
        impression.model_version,
        [shown.item_id for shown in impression.items],
        [shown.position for shown in impression.items],
        [shown.propensity for shown in impression.items],
    )


def impression(record: asyncpg.Record) -> Impression:
    """Return the impression in a row of ``impressions``."""
    shown = zip(record["item_ids"], record["positions"], record["propensities"], strict=True)
    return Impression(
        event_id=record["event_id"],
        consent=Consent(record["consent"]),
        user_id=record["user_id"],
        session_id=record["session_id"],
        slate_id=record["slate_id"],
        items=tuple(ShownItem(*values) for values in shown),
        occurred_at_ms=record["occurred_at_ms"],
        surface=record["surface"],
        context=read_context(unpacked(record["context"])),
        policy_version=record["policy_version"],
        model_version=record["model_version"],
    )
