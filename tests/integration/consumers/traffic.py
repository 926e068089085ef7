"""Seeded traffic for the stream processors, and what one thread learns from it event by event."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import asyncpg
import numpy as np

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.event import ACTIONS, Event, partition_key
from attune.contract.item import Item
from attune.contract.logged import log_form
from kafka_consumers.batch import Batch
from kafka_consumers.counters import Counters
from kafka_consumers.met import MetItems
from kafka_consumers.rewards import Rewards
from kafka_consumers.users import Users
from origin.event_log.port import Entry
from origin.packing import packed
from origin.storage.memory import MemoryStore
from origin.storage.port import CatalogueStore, Embedding
from origin.storage.user_columns import exposure_bytes, fixed, recent_bytes
from tests.unit.kafka_consumers.events import impression, interaction

START_MS = 1_700_000_000_000
ITEM_IDS = [f"item-{number}" for number in range(40)]


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything that the processors wrote, in an order that does not depend on how."""

    embeddings: dict[str, bytes]
    users: dict[str, tuple[object, ...]]
    user_items: set[tuple[object, ...]]
    popularity: dict[str, list[float]]
    covisits: dict[tuple[str, str], float]
    posteriors: dict[tuple[str, str], tuple[float, float]]
    slates: set[str]


def catalogue() -> dict[str, Embedding]:
    """Return embeddings that half precision holds exactly, of about length 1."""
    vectors = np.random.default_rng(7).normal(size=(len(ITEM_IDS), EMBEDDING_DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    halves = vectors.astype(np.float16).astype(np.float32)
    # The last item has none: it came after the training.
    return dict(zip(ITEM_IDS[:-1], halves, strict=False))


async def fill(store: CatalogueStore) -> None:
    """Put the catalogue into the store."""
    await store.put_items([Item(item_id=item_id, title=item_id) for item_id in ITEM_IDS], START_MS)
    await store.put_embeddings("test", catalogue())


def events(count: int, users: int, seed: int = 11) -> list[Event]:
    """Return a mixture of interactions and impressions, some of them without a user."""
    rng = random.Random(seed)
    made: list[Event] = []
    slates: dict[str, list[tuple[str, str]]] = {}
    for number in range(count):
        user_id = None if rng.random() < 0.1 else f"user-{rng.randrange(users)}"
        session_id = f"visit-{rng.randrange(7)}"
        shown_before = slates.setdefault(user_id or session_id, [])
        at_ms = START_MS + number * 250
        if rng.random() < 0.2:
            shown = rng.sample(ITEM_IDS, 6)
            event: Event = impression(f"slate-{number}", *shown, user_id=user_id, at_ms=at_ms)
            shown_before.append((f"slate-{number}", rng.choice(shown)))
        else:
            slate_id, item_id = None, rng.choice(ITEM_IDS)
            if shown_before and rng.random() < 0.5:
                slate_id, item_id = rng.choice(shown_before)
            event = interaction(
                item_id, rng.choice(ACTIONS), user_id, at_ms, f"event-{number}", slate_id
            )
        made.append(replace(event, session_id=session_id))
    return made


def entries(events: Iterable[Event]) -> list[Entry]:
    """Return the events as records."""
    return [(partition_key(event).encode(), packed(log_form(event))) for event in events]


async def reference(events: Sequence[Event]) -> Learned:
    """Return what one thread learns from the events, one transaction each."""
    store = MemoryStore()
    await fill(store)
    processors = (Counters(), MetItems(), Rewards(), Users())
    for event in events:
        async with store.transaction() as transaction:
            for processor in processors:
                await processor.process(Batch.of([event], START_MS), transaction)
    tables = store._tables
    return Learned(
        embeddings={name: fixed(row.embedding).tobytes() for name, row in tables.users.items()},
        users={
            name: (
                row.covers_until_ms,
                row.interactions,
                recent_bytes(row.recent),
                exposure_bytes(row.exposures),
            )
            for name, row in tables.users.items()
        },
        user_items={
            (one.user_id, one.item_id, one.action, one.occurred_at_ms)
            for met in tables.user_items.values()
            for one in met.values()
        },
        popularity={name: list(row.levels) for name, row in tables.items.items() if row.levels},
        covisits={
            (seed, item): level
            for seed, met in tables.covisits.items()
            for item, level in met.items()
        },
        posteriors={key: (one.impressions, one.reward) for key, one in tables.rewards.items()},
        slates=set(tables.outcomes.impressions),
    )


async def learned(database_url: str) -> Learned:
    """Return what the database holds."""
    connection = await asyncpg.connect(database_url)
    try:
        users = await connection.fetch("SELECT * FROM users")
        user_items = await connection.fetch(
            "SELECT user_id, item_id, action, occurred_at_ms FROM user_items"
        )
        counters = await connection.fetch("SELECT item_id, levels FROM item_counters")
        covisits = await connection.fetch("SELECT item_id, neighbour_id, level FROM covisits")
        posteriors = await connection.fetch("SELECT * FROM posteriors")
        slates = await connection.fetch("SELECT slate_id FROM impressions")
    finally:
        await connection.close()
    return Learned(
        embeddings={row["user_id"]: row["embedding"] for row in users},
        users={
            row["user_id"]: (
                row["covers_until_ms"], row["interactions"], row["recent"], row["exposures"]
            )
            for row in users
        },
        user_items={tuple(row) for row in user_items},
        popularity={row["item_id"]: row["levels"] for row in counters},
        covisits={(row["item_id"], row["neighbour_id"]): row["level"] for row in covisits},
        posteriors={
            (row["bucket"], row["item_id"]): (row["impressions"], row["reward"])
            for row in posteriors
        },
        slates={row["slate_id"] for row in slates},
    )  # fmt: skip


def assert_same(found: Learned, expected: Learned) -> None:
    """Raise unless both are equal: to the bit where one user's order decides, else to 1e-9."""
    assert found.users == expected.users
    assert found.embeddings == expected.embeddings
    assert found.user_items == expected.user_items
    assert found.slates == expected.slates
    for name in ("popularity", "covisits", "posteriors"):
        have, want = getattr(found, name), getattr(expected, name)
        assert have.keys() == want.keys(), name
        for key in want:
            assert np.allclose(have[key], want[key], rtol=0, atol=1e-9), (
                name,
                key,
                have[key],
                want[key],
            )
