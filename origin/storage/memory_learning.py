"""One transaction of a stream processor in memory: written down first, done at its commit."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.erasure import ErasureReceipt, ErasureRequest
from attune.popularity import merged, merged_levels
from origin.storage.deferred import DeferredEvents
from origin.storage.memory_deferred import DeferredTable
from origin.storage.memory_outcomes import MemoryOutcomes, OutcomeTables
from origin.storage.port import (
    NEIGHBOURS_MAX,
    DeadLetter,
    Embedding,
    ItemRow,
    Neighbour,
    PopularityDelta,
    RewardCount,
    SeenEvents,
    UserColumns,
    UserItem,
    UserRow,
)
from origin.storage.user_columns import columns_of, rows_of

EPOCHS = count()
"""No two stores share a number: what is remembered of one store's users never serves another's."""


@dataclass(slots=True)
class MemoryTables:
    """What the tables of PostgreSQL hold, as dictionaries under their primary keys."""

    items: dict[str, ItemRow] = field(default_factory=dict[str, ItemRow])
    users: dict[str, UserRow] = field(default_factory=dict[str, UserRow])
    user_items: dict[str, dict[str, UserItem]] = field(
        default_factory=dict[str, dict[str, UserItem]]
    )
    covisits: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    rewards: dict[tuple[str, str], RewardCount] = field(
        default_factory=dict[tuple[str, str], RewardCount]
    )
    offsets: dict[tuple[str, str, int], int] = field(
        default_factory=dict[tuple[str, str, int], int]
    )
    seen_events: dict[tuple[str, str, int], list[SeenEvents]] = field(
        default_factory=dict[tuple[str, str, int], list[SeenEvents]]
    )
    deferred: DeferredTable = field(default_factory=DeferredTable)
    recent_items: dict[str, bytes] = field(default_factory=dict[str, bytes])
    users_epoch: int = field(default_factory=lambda: next(EPOCHS))
    erased: dict[str, int] = field(default_factory=dict[str, int])
    receipts: dict[str, ErasureReceipt] = field(default_factory=dict[str, ErasureReceipt])
    outcomes: OutcomeTables = field(default_factory=OutcomeTables)
    dead_letters: list[DeadLetter] = field(default_factory=list[DeadLetter])
    _sorted: dict[str, dict[int, list[Neighbour]]] = field(
        default_factory=dict[str, dict[int, list[Neighbour]]]
    )
    """Answers of ``strongest`` by seed and limit, until the seed changes."""

    _awaited: set[str] = field(default_factory=set[str])
    """Neighbours that no answer names, because no such item exists yet."""

    def strongest(self, seed_id: str, limit: int) -> list[Neighbour]:
        """Return the seed's neighbours that exist, strongest first."""
        answers = self._sorted.setdefault(seed_id, {})
        found = answers.get(limit)
        if found is None:
            known = self.covisits.get(seed_id, {})
            ordered = sorted(known.items(), key=itemgetter(1), reverse=True)
            self._awaited.update(known.keys() - self.items.keys())
            existing = (entry for entry in ordered if entry[0] in self.items)
            found = [Neighbour(seed_id, *entry) for entry in islice(existing, limit)]
            answers[limit] = found
        return found

    def put_item(self, row: ItemRow) -> None:
        """Insert or replace an item."""
        self.items[row.item.item_id] = row
        if row.item.item_id in self._awaited:
            self._awaited.discard(row.item.item_id)
            self._sorted.clear()

    def add_covisit(self, delta: Neighbour) -> None:
        """Add to a pair; of a seed with too many neighbours the strongest are kept."""
        known = self.covisits.setdefault(delta.seed_id, {})
        before = known.get(delta.item_id)
        known[delta.item_id] = delta.level if before is None else merged(before, delta.level)
        if len(known) > 2 * NEIGHBOURS_MAX:
            kept = sorted(known.items(), key=lambda entry: -entry[1])[:NEIGHBOURS_MAX]
            self.covisits[delta.seed_id] = dict(kept)
        self._sorted.pop(delta.seed_id, None)

    def prune_covisits(self, seed_ids: Iterable[str]) -> None:
        """Keep the strongest neighbours of the seeds."""
        for seed_id in seed_ids:
            known = sorted(self.covisits[seed_id].items(), key=lambda entry: -entry[1])
            self.covisits[seed_id] = dict(known[:NEIGHBOURS_MAX])
            self._sorted.pop(seed_id, None)

    def forget_item(self, item_id: str) -> bool:
        """Remove the item and all that was learned of it; return whether it existed."""
        self.covisits.pop(item_id, None)
        self._sorted.clear()
        for neighbours in self.covisits.values():
            neighbours.pop(item_id, None)
        for key in [key for key in self.rewards if key[1] == item_id]:
            del self.rewards[key]
        return self.items.pop(item_id, None) is not None

    def erase_user(self, user_id: str, until_ms: int) -> None:
        """Remove what is known of the user until then."""
        self.erased[user_id] = max(until_ms, self.erased.get(user_id, 0))
        self.users.pop(user_id, None)
        self.users_epoch = next(EPOCHS)
        self.user_items.pop(user_id, None)
        self.recent_items.pop(user_id, None)
        self.deferred.pop(user_id, None)
        self.outcomes.erase_user(user_id, until_ms)
        self.dead_letters[:] = [
            one for one in self.dead_letters if one.key != user_id or one.failed_at_ms > until_ms
        ]

    def add_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Keep the records that are not kept yet."""
        kept = {(one.topic, one.partition, one.offset, one.value) for one in self.dead_letters}
        for one in letters:
            if (one.topic, one.partition, one.offset, one.value) not in kept:
                self.dead_letters.append(one)

    def put_users(self, rows: Iterable[UserRow]) -> None:
        """Insert or replace users from outside of the stream."""
        self.users.update((row.user_id, row) for row in rows)
        self.users_epoch = next(EPOCHS)

    def drop_deferred(self, rows: Iterable[DeferredEvents]) -> None:
        """Remove what waited, from outside of the stream."""
        self.deferred.drop(rows)
        self.users_epoch = next(EPOCHS)

    def add_seen_events(self, group: str, topic: str, seen: Iterable[SeenEvents]) -> None:
        """Remember what a group saw."""
        for one in seen:
            self.seen_events.setdefault((group, topic, one.partition), []).append(one)

    def forget_seen_events(self, group: str, topic: str, before: Mapping[int, int]) -> None:
        """Forget what a group saw before these offsets."""
        for partition, offset in before.items():
            key = group, topic, partition
            known = self.seen_events.get(key, [])
            self.seen_events[key] = [one for one in known if one.end_offset > offset]


class MemoryLearning(MemoryOutcomes):
    """A ``LearningTransaction``: reads see what is committed, writes wait for the commit."""

    def __init__(self, tables: MemoryTables) -> None:
        super().__init__(tables.outcomes)
        self._tables = tables
        self._changed_items: dict[str, None] = {}

    def commit(self) -> list[str]:
        """Do what was written down, in its order; return the items whose numbers changed."""
        for write in self._writes:
            write()
        return list(self._changed_items)

    async def next_offsets(
        self, group: str, topic: str, partitions: Sequence[int]
    ) -> Mapping[int, int]:
        """Return where the group goes on reading in each of the partitions."""
        offsets = self._tables.offsets
        return {part: offsets.get((group, topic, part), 0) for part in sorted(partitions)}

    async def set_next_offsets(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Remember where the group goes on reading."""
        keyed = {(group, topic, part): offset for part, offset in offsets.items()}
        self._writes.append(lambda: self._tables.offsets.update(keyed))

    async def seen_events(
        self, group: str, topic: str, partitions: Sequence[int]
    ) -> Mapping[int, bytes]:
        """Return the hashes of the events that the group saw lately, oldest first, 8 bytes each."""
        seen = self._tables.seen_events
        found = {part: seen.get((group, topic, part), ()) for part in partitions}
        return {part: b"".join(one.hashes for one in rows) for part, rows in found.items() if rows}

    async def add_seen_events(self, group: str, topic: str, seen: Sequence[SeenEvents]) -> None:
        """Remember the hashes of events that the group has seen."""
        self._writes.append(lambda: self._tables.add_seen_events(group, topic, seen))

    async def forget_seen_events(self, group: str, topic: str, before: Mapping[int, int]) -> None:
        """Forget what was seen before these offsets of the partitions."""
        self._writes.append(lambda: self._tables.forget_seen_events(group, topic, before))

    async def own_users(self) -> int:
        """Return a number that differs once somebody else changed users, in this store or any."""
        return self._tables.users_epoch

    async def user_columns(self, user_ids: Sequence[str]) -> UserColumns:
        """Return the rows of those users that exist, in columns."""
        return columns_of(list((await self.users(user_ids)).values()))

    async def put_user_columns(self, columns: UserColumns) -> None:
        """Insert or replace the rows, in a transaction that owns users."""
        rows = {row.user_id: row for row in rows_of(columns)}
        self._writes.append(lambda: self._tables.users.update(rows))

    async def users(self, user_ids: Sequence[str]) -> Mapping[str, UserRow]:
        """Return the rows of those users that exist."""
        users = self._tables.users
        return {user_id: users[user_id] for user_id in user_ids if user_id in users}

    async def put_users(self, rows: Sequence[UserRow]) -> None:
        """Insert or replace the rows, from outside of the stream: imports, trainings."""
        self._writes.append(lambda: self._tables.put_users(rows))

    async def deferred_latest(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Return ``latest_ms`` of those users for whom events wait."""
        waiting = self._tables.deferred
        return {user_id: waiting[user_id].latest_ms for user_id in user_ids if user_id in waiting}

    async def defer(self, rows: Sequence[DeferredEvents]) -> None:
        """Let events wait, behind those that do."""
        self._writes.append(lambda: self._tables.deferred.defer(rows))

    async def take_deferred(self, user_ids: Sequence[str]) -> Sequence[DeferredEvents]:
        """Return what waits for these users and remove it."""
        waiting = self._tables.deferred
        taken = [waiting[user_id] for user_id in user_ids if user_id in waiting]
        self._writes.append(lambda: self._tables.deferred.drop(taken))
        return taken

    async def take_deferred_page(self, users_max: int) -> Sequence[DeferredEvents]:
        """Return what waits for so many users and remove it."""
        waiting = self._tables.deferred
        taken = [waiting[user_id] for user_id in sorted(waiting)[:users_max]]
        if taken:
            self._writes.append(lambda: self._tables.drop_deferred(taken))
        return taken

    async def recent_items(self, user_ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return what those users did lately, as far as it was put, in the form of ``recents``."""
        known = self._tables.recent_items
        return {user_id: known[user_id] for user_id in user_ids if user_id in known}

    async def put_recent_items(self, recents: Mapping[str, bytes]) -> None:
        """Remember what users did lately, in place of what was known."""
        self._writes.append(lambda: self._tables.recent_items.update(recents))

    async def add_user_items(self, rows: Sequence[UserItem]) -> None:
        """Remember each user's latest interaction with an item."""
        self._writes.append(lambda: self._do_add_user_items(rows))

    async def embeddings(self, item_ids: Sequence[str]) -> Mapping[str, Embedding]:
        """Return the embeddings of those items that have one."""
        rows = ((item_id, self._tables.items.get(item_id)) for item_id in item_ids)
        return {
            item_id: row.embedding
            for item_id, row in rows
            if row is not None and row.embedding is not None
        }

    async def add_popularity(self, deltas: Sequence[PopularityDelta]) -> None:
        """Add to items' popularity; unknown items are skipped."""
        self._writes.append(lambda: self._do_add_popularity(deltas))

    async def add_covisits(self, deltas: Sequence[Neighbour]) -> None:
        """Add to how strongly pairs of items were met together; the strongest are kept."""
        self._writes.append(lambda: self._do_add_covisits(deltas))

    async def prune_covisits(self, after: str, seeds_max: int) -> str | None:
        """Keep the strongest neighbours of some seeds behind ``after``; return the last of them."""
        seeds = sorted(seed for seed in self._tables.covisits if seed > after)[:seeds_max]
        self._writes.append(lambda: self._tables.prune_covisits(seeds))
        return seeds[-1] if seeds else None

    async def add_rewards(self, deltas: Sequence[RewardCount]) -> None:
        """Add showings and rewards."""
        self._writes.append(lambda: self._do_add_rewards(deltas))

    async def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep the events that could not be processed."""
        self._writes.append(lambda: self._tables.add_dead_letters(letters))

    async def population(self, users_max: int) -> NDArray[np.float32]:
        """Return the embeddings of so many users."""
        rows = [row.embedding for row in islice(self._tables.users.values(), users_max)]
        return np.stack(rows) if rows else np.zeros((0, EMBEDDING_DIMENSION), dtype=np.float32)

    async def reward_totals(self) -> tuple[float, float]:
        """Return the trials and the rewards of all arms."""
        counts = self._tables.rewards.values()
        return math.fsum(c.impressions for c in counts), math.fsum(c.reward for c in counts)

    async def erase_user(self, request: ErasureRequest, topics: Sequence[str]) -> Mapping[str, int]:
        """Remove what is known of the user from before the request; return the rows by table."""
        user_id, until_ms = request.user_id, request.requested_at_ms
        letters = [one for one in self._tables.dead_letters if one.key == user_id]
        removed = {
            "users": int(user_id in self._tables.users),
            "user_items": len(self._tables.user_items.get(user_id, {})),
            **self._tables.outcomes.count_of_user(user_id, until_ms),
            "dead_letters": sum(one.failed_at_ms <= until_ms for one in letters),
        }
        self._writes.append(lambda: self._tables.erase_user(user_id, until_ms))
        return removed

    async def erased_users(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Return for those users who were erased the instant until which that holds."""
        erased = self._tables.erased
        return {user_id: erased[user_id] for user_id in user_ids if user_id in erased}

    async def latest_erasure_ms(self) -> int:
        """Return the latest instant until which anybody was erased, -1 where nobody was."""
        return max(self._tables.erased.values(), default=-1)

    async def add_receipt(self, receipt: ErasureReceipt) -> None:
        """Keep the receipt; the first one of a request stays."""
        self._writes.append(lambda: self._tables.receipts.setdefault(receipt.erasure_id, receipt))

    def _do_add_user_items(self, rows: Sequence[UserItem]) -> None:
        for row in rows:
            met = self._tables.user_items.setdefault(row.user_id, {})
            before = met.get(row.item_id)
            if before is not None:
                # A look in passing does not make a bought item unknown again.
                action = before.action if row.action == "view" else row.action
                at_ms = max(before.occurred_at_ms, row.occurred_at_ms)
                row = replace(row, action=action, occurred_at_ms=at_ms)
            met[row.item_id] = row

    def _do_add_popularity(self, deltas: Sequence[PopularityDelta]) -> None:
        for delta in deltas:
            row = self._tables.items.get(delta.item_id)
            if row is not None:
                levels = merged_levels(row.levels, delta.levels)
                self._tables.items[delta.item_id] = replace(row, levels=levels)
                self._changed_items[delta.item_id] = None

    def _do_add_covisits(self, deltas: Sequence[Neighbour]) -> None:
        for delta in deltas:
            self._tables.add_covisit(delta)

    def _do_add_rewards(self, deltas: Sequence[RewardCount]) -> None:
        for delta in deltas:
            key = (delta.bucket, delta.item_id)
            before = self._tables.rewards.get(key)
            if before is not None:
                impressions = before.impressions + delta.impressions
                reward = before.reward + delta.reward
                delta = replace(delta, impressions=impressions, reward=reward)
            self._tables.rewards[key] = delta
