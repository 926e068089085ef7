"""The ports between attune's decisions and its memory: what serving reads and learning writes.

Two adapters implement them: ``origin.storage.postgres`` and its in-memory twin
``origin.storage.memory``. Embeddings are float32 of shape (64,), unit length or all zero. Every
``level`` is log2 of a forward-decayed sum (see ``attune.popularity``): levels only grow, their
order does not depend on "now", and two of them merge by ``log2(2**a + 2**b)``.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.event import Impression
from attune.contract.item import Item
from attune.contract.recommendation import RecentInteraction
from attune.covisitation import Neighbour
from origin.storage.deferred import DeferringTransaction
from origin.storage.erasure import ErasureTransaction
from origin.storage.outcomes import OutcomeTransaction

Embedding = NDArray[np.float32]

USER_RECENT_MAX = 50
"""Interactions kept beside a user's embedding: the longest sequence that a ranker reads."""

EXPOSURES_MAX = 200
"""Items whose number of showings is remembered per user; the least recently shown goes first."""

SEEN_MAX = 2_000
"""Items, latest first, that a bundle names as seen; 10,000 would triple the bundle's size."""

NEIGHBOURS_MAX = 100
"""Co-visitation neighbours kept per item; beyond some dozens they are noise."""

REWARDS_GROUP = "learning"
"""The consumer group that counts rewards: its offsets say which events the counts hold."""

SEEN_ACTIONS = ("click", "cart", "purchase", "dismiss")
"""After one of these the user knows the item; only a look in passing does not count."""


class StoreUnavailableError(Exception):
    """The store cannot be reached or did not answer in time: an outage, so serving degrades."""


def empty_embedding() -> Embedding:
    """Return the embedding of a user without history: all zero, similar to nothing."""
    return np.zeros(EMBEDDING_DIMENSION, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class UserRow:
    """What is remembered of one user between two events.

    ``covers_until_ms`` is the last interaction that the embedding has seen. ``recent`` is oldest
    first. ``exposures`` counts how often each item was shown since the user last acted on it, the
    least recently shown first.
    """

    user_id: str
    embedding: Embedding = field(default_factory=empty_embedding)
    covers_until_ms: int = 0
    interactions: int = 0
    recent: tuple[RecentInteraction, ...] = ()
    exposures: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class UserState:
    """A user's row with the items that must not be shown again, latest first."""

    row: UserRow
    seen: tuple[str, ...] = ()


def seen_items(row: UserRow, met: Iterable[str]) -> tuple[str, ...]:
    """Return the items that must not be shown again, latest first.

    Args:
        row: the user's; its recent interactions are known before all others are counted.
        met: items met before, latest first.
    """
    lately = [entry.item_id for entry in reversed(row.recent) if entry.action in SEEN_ACTIONS]
    return tuple(dict.fromkeys((*lately, *met)))[:SEEN_MAX]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item with what was learned of it.

    ``embedding`` is None until training or its content gave it one. ``levels`` has one popularity
    level per half-life of ``attune.popularity`` and is empty for an item nobody touched.
    """

    item: Item
    first_seen_ms: int
    embedding: Embedding | None = None
    embedding_version: str = ""
    levels: tuple[float, ...] = ()


class Scored(NamedTuple):
    """An item named by a candidate source, with the source's own measure: larger is better."""

    item_id: str
    score: float


@dataclass(frozen=True, slots=True)
class RewardCount:
    """How often an item was shown in a bandit bucket, and the sum of rewards in [0, 1] it earned.

    As a delta it is what a batch adds to that; then the item's category is not needed.
    """

    item_id: str
    bucket: str
    impressions: float
    reward: float
    category: str = ""


@dataclass(frozen=True, slots=True)
class PolicyState:
    """What a policy is made from, as of one instant.

    ``covers`` holds for each partition of the events the next offset that the counts do not know.
    """

    counts: Sequence[RewardCount]
    covers: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How much the store holds, for people who look after it."""

    items: int
    items_with_embedding: int
    users: int
    interactions: int
    impressions: int
    dead_letters: int


class ServingStore(Protocol):
    """What an answer is made from. Every method may raise StoreUnavailableError."""

    async def user_state(self, user_id: str) -> UserState:
        """Return what is known of the user; an empty state for an unknown one."""
        ...

    async def nearest(self, embedding: Embedding, limit: int) -> Sequence[Scored]:
        """Return the available items of greatest inner product with ``embedding``, best first."""
        ...

    async def together(self, item_ids: Sequence[str], limit: int) -> Sequence[Neighbour]:
        """Return up to ``limit`` neighbours of each item, strongest first per item.

        Withdrawn items may be among them.
        """
        ...

    async def trending(self, limit: int, category: str | None = None) -> Sequence[Scored]:
        """Return the available items of highest trending level, best first."""
        ...

    async def newest(self, limit: int) -> Sequence[Scored]:
        """Return the available items seen first most recently; the score is when, in ms."""
        ...

    async def item_rows(self, item_ids: Sequence[str]) -> Mapping[str, ItemRow]:
        """Return the rows of those that exist; descriptions and attributes may be left out."""
        ...

    async def policy_counts(self, limit: int) -> Sequence[RewardCount]:
        """Return the counts of the ``limit`` most shown (item, bucket) pairs."""
        ...

    async def policy_state(self, limit: int, group: str, topic: str) -> PolicyState:
        """Return ``policy_counts`` with the offsets of the group that counts, of one instant."""
        ...

    async def recent_impressions(self, limit: int) -> Sequence[Impression]:
        """Return the latest impressions, newest first, as the exploration rate is read from."""
        ...


class CatalogueStore(Protocol):
    """The catalogue as people and importers write it."""

    async def item(self, item_id: str) -> ItemRow | None:
        """Return the item, or None."""
        ...

    async def items_after(self, item_id: str, limit: int) -> Sequence[ItemRow]:
        """Return the items that follow ``item_id`` in the order of ids ("" starts)."""
        ...

    async def put_items(self, items: Iterable[Item], now_ms: int) -> int:
        """Insert or replace the items, keep what was learned; return how many were new."""
        ...

    async def put_embeddings(self, version: str, embeddings: Mapping[str, Embedding]) -> int:
        """Set the embeddings of items that exist; return how many."""
        ...

    async def delete_item(self, item_id: str) -> bool:
        """Remove the item and all that was learned of it; return whether it existed."""
        ...

    async def counts(self) -> StoreCounts:
        """Return how much the store holds."""
        ...


@dataclass(frozen=True, slots=True)
class PopularityDelta:
    """What a batch adds to an item's popularity: one level per half-life."""

    item_id: str
    levels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class UserItem:
    """A user's latest interaction with one item."""

    user_id: str
    item_id: str
    action: str
    occurred_at_ms: int


@dataclass(frozen=True, slots=True)
class SeenEvents:
    """Hashes, 8 bytes each, of events of one partition that end before ``end_offset``."""

    partition: int
    end_offset: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class UserColumns:
    """Rows of users in columns, in the stored form of ``origin.storage.user_columns``."""

    user_ids: list[str]
    embeddings: NDArray[np.int16]
    covers_until_ms: NDArray[np.int64]
    interactions: NDArray[np.int64]
    recents: list[bytes]
    exposures: list[bytes]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be processed: where it stood, what it was, why it failed."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    problem: str
    failed_at_ms: int


class LearningTransaction(OutcomeTransaction, ErasureTransaction, DeferringTransaction, Protocol):
    """One atomic step of a stream processor: its results and its offsets, or neither.

    Rows of users are read, changed and written back (a user's events are ordered by the log, and
    the rows stay locked). Everything about items is *added*, so that processors of different
    partitions meet on a popular item without waiting to read it.
    """

    async def next_offsets(
        self, group: str, topic: str, partitions: Sequence[int]
    ) -> Mapping[int, int]:
        """Return where the group goes on reading in each of the partitions; 0 where it never read.

        The offsets stay locked until the transaction ends: two processes that hold the same
        partition meet here, and the later one sees that the earlier one has moved on.
        """
        ...

    async def set_next_offsets(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Remember where the group goes on reading."""
        ...

    async def seen_events(
        self, group: str, topic: str, partitions: Sequence[int]
    ) -> Mapping[int, bytes]:
        """Return the hashes of the events that the group saw lately, oldest first, 8 bytes each."""
        ...

    async def add_seen_events(self, group: str, topic: str, seen: Sequence[SeenEvents]) -> None:
        """Remember the hashes of events that the group has seen."""
        ...

    async def forget_seen_events(self, group: str, topic: str, before: Mapping[int, int]) -> None:
        """Forget what was seen before these offsets of the partitions; put small rows together."""
        ...

    async def own_users(self) -> int:
        """Keep everybody else from changing users until the transaction ends.

        Several transactions can own users at once: each those of its own partitions. Returns a
        number that differs from the last one if somebody else changed users in between.
        """
        ...

    async def user_columns(self, user_ids: Sequence[str]) -> UserColumns:
        """Return the rows of those users that exist, in columns."""
        ...

    async def put_user_columns(self, columns: UserColumns) -> None:
        """Insert or replace the rows, in a transaction that owns users."""
        ...

    async def users(self, user_ids: Sequence[str]) -> Mapping[str, UserRow]:
        """Return the rows of those users that exist; nobody else changes users meanwhile."""
        ...

    async def put_users(self, rows: Sequence[UserRow]) -> None:
        """Insert or replace the rows, from outside of the stream: imports, trainings."""
        ...

    async def recent_items(self, user_ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return what those users did lately, as far as it was put, in the form of ``recents``."""
        ...

    async def put_recent_items(self, recents: Mapping[str, bytes]) -> None:
        """Remember what users did lately, in place of what was known."""
        ...

    async def add_user_items(self, rows: Sequence[UserItem]) -> None:
        """Remember each user's latest interaction with an item."""
        ...

    async def embeddings(self, item_ids: Sequence[str]) -> Mapping[str, Embedding]:
        """Return the embeddings of those items that have one."""
        ...

    async def add_popularity(self, deltas: Sequence[PopularityDelta]) -> None:
        """Add to items' popularity; unknown items are skipped."""
        ...

    async def add_covisits(self, deltas: Sequence[Neighbour]) -> None:
        """Add to how strongly pairs of items were met together."""
        ...

    async def prune_covisits(self, after: str, seeds_max: int) -> str | None:
        """Keep the ``NEIGHBOURS_MAX`` strongest of some seeds' neighbours.

        Takes seeds behind ``after`` in the order of ids ("" starts). Returns the last one of them,
        None where there is none.
        """
        ...

    async def add_rewards(self, deltas: Sequence[RewardCount]) -> None:
        """Add showings and rewards."""
        ...

    async def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep the records that could not be processed, each once, whichever group says so."""
        ...


class LearningStore(Protocol):
    """Where stream processors keep what they learned."""

    def transaction(self) -> AbstractAsyncContextManager[LearningTransaction]:
        """Return a transaction: committed when its block ends, rolled back when it raises."""
        ...
