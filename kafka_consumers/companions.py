"""Co-visitation of a batch in columns: all pairs at once, as ``attune.covisitation`` counts them.

A user's sequence is the last few items before the batch and then the batch's. With the sequences of
all users one after the other, each one led by its memory, the pairs ``n`` places apart are two
slices of one array.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from attune.contract.event import ACTIONS
from attune.covisitation import (
    COUNTED_MAX,
    FOLLOWING,
    FOLLOWING_MAX,
    HALF_LIFE_HOURS,
    PLACE,
    PLACE_SITTING,
    SITTING_MS,
)
from attune.popularity import MS_PER_HOUR, WEIGHTS
from kafka_consumers.batch import Batch
from origin.storage.port import LearningTransaction
from origin.storage.user_columns import VERSION, read_recent, recent_heads

Numbers = NDArray[np.int64]

USERS_MAX = 250_000
"""Users whose last items are held: 0.3 KB each with their names."""
ITEMS_MAX = 1_000_000
"""Items that have a number here; with more, everything is read anew."""

NOTHING = -1
CLICKED, DISMISSED = ACTIONS.index("click"), ACTIONS.index("dismiss")
COUNTS = np.array([action in WEIGHTS for action in ACTIONS])
"""Whether each action brings items together."""


class LastItems:
    """The last items of the users that this process owns, the latest in the last column.

    ``items`` are numbers of ``item_ids`` (``NOTHING`` where there is none, or where what was done
    with it brings nothing together); ``at_ms`` is when.
    """

    def __init__(self) -> None:
        self._epoch = -1
        self.forget()

    def forget(self) -> None:
        """Drop everything."""
        self._places: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self.item_ids: list[str] = []
        self._names: list[bytes] = []
        self.items = np.full((1_024, COUNTED_MAX), NOTHING, dtype=np.int64)
        self.at_ms = np.zeros((1_024, COUNTED_MAX), dtype=np.int64)

    async def places(
        self, user_ids: Sequence[str], transaction: LearningTransaction
    ) -> NDArray[np.int64]:
        """Return where each of the users stands, read from the store if need be."""
        epoch = await transaction.own_users()
        if epoch != self._epoch or len(self.item_ids) > ITEMS_MAX:
            self.forget()
            self._epoch = epoch
        unknown = [user_id for user_id in user_ids if user_id not in self._places]
        if len(self._places) + len(unknown) > USERS_MAX:
            self.forget()
            unknown = list(user_ids)
        if unknown:
            self._append(unknown)
            self._read(await transaction.recent_items(unknown))
        return np.array([self._places[user_id] for user_id in user_ids], dtype=np.int64)

    def numbers(self, item_ids: Sequence[str]) -> Numbers:
        """Return the items' numbers."""
        found: list[int] = []
        for item_id in item_ids:
            number = self._numbers.get(item_id)
            if number is None:
                number = self._numbers[item_id] = len(self.item_ids)
                self.item_ids.append(item_id)
                self._names.append(item_id.encode())
            found.append(number)
        return np.array(found, dtype=np.int64)

    def _append(self, user_ids: Sequence[str]) -> None:
        start, stop = len(self._places), len(self._places) + len(user_ids)
        self._places.update(zip(user_ids, range(start, stop), strict=True))
        if stop > len(self.items):
            more = max(len(self.items), stop - len(self.items))
            nothing = np.full((more, COUNTED_MAX), NOTHING, dtype=np.int64)
            self.items = np.concatenate((self.items, nothing))
            self.at_ms = np.concatenate((self.at_ms, np.zeros_like(nothing)))

    def _read(self, stored: Mapping[str, bytes]) -> None:
        for user_id, one in stored.items():
            recent = read_recent(one)[-COUNTED_MAX:]
            if recent:
                place = self._places[user_id]
                numbers = self.numbers([entry.item_id for entry in recent])
                counts = [entry.action in WEIGHTS for entry in recent]
                self.items[place, -len(recent) :] = np.where(counts, numbers, NOTHING)
                self.at_ms[place, -len(recent) :] = [entry.occurred_at_ms for entry in recent]

    def stored(self, places: NDArray[np.int64]) -> list[bytes]:
        """Return the last items of some users as they are to be stored.

        Something was done where there is ``NOTHING``, too: it keeps its place, without a name.
        """
        items, at_ms = self.items[places], self.at_ms[places]  # (U, COUNTED_MAX)
        actions = np.where(items == NOTHING, DISMISSED, CLICKED)
        names = [b"" if one == NOTHING else self._names[one] for one in items.ravel().tolist()]
        lengths = np.array([len(name) for name in names], dtype=np.int64)
        heads = recent_heads(at_ms.ravel(), actions.ravel().astype(np.int64), lengths)
        parts = [head + name for head, name in zip(heads, names, strict=True)]
        return [
            bytes((VERSION, COUNTED_MAX)) + b"".join(parts[start : start + COUNTED_MAX])
            for start in range(0, len(parts), COUNTED_MAX)
        ]


class Pairs:
    """Pairs of items with what the batch adds to each: (P,) seeds, items and levels."""

    def __init__(self, seeds: Numbers, items: Numbers, levels: NDArray[np.float64]) -> None:
        keys = (seeds << 32) | items
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        firsts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else order
        self.seeds, self.items = keys[firsts] >> 32, keys[firsts] & 0xFFFFFFFF
        self.levels = np.logaddexp2.reduceat(levels[order], firsts) if len(keys) else levels


async def counted_pairs(batch: Batch, last: LastItems, transaction: LearningTransaction) -> Pairs:
    """Return what the batch adds to each pair of items, and keep its users' last items."""
    rows = np.flatnonzero((batch.by_user.codes >= 0) & (batch.actions >= 0))
    places = await last.places(batch.by_user.ids, transaction)
    numbers = last.numbers(batch.by_item.ids)
    users = batch.by_user.codes[rows]
    rows = rows[np.argsort(users, kind="stable")]
    users = np.sort(users, kind="stable")
    present, counts = np.unique(users, return_counts=True)
    # Each user's memory comes before the user's events.
    ends = np.cumsum(counts + COUNTED_MAX)
    starts = ends - counts - COUNTED_MAX
    total = len(rows) + COUNTED_MAX * len(present)
    items, at_ms = np.full(total, NOTHING), np.zeros(total, dtype=np.int64)
    memory = starts[:, None] + np.arange(COUNTED_MAX)
    now = np.arange(len(rows)) + np.repeat((np.arange(len(present)) + 1) * COUNTED_MAX, counts)
    items[memory], at_ms[memory] = last.items[places[present]], last.at_ms[places[present]]
    items[now] = np.where(COUNTS[batch.actions[rows]], numbers[batch.by_item.codes[rows]], NOTHING)
    at_ms[now] = batch.at_ms[rows]
    tails = ends[:, None] - COUNTED_MAX + np.arange(COUNTED_MAX)
    last.items[places[present]], last.at_ms[places[present]] = items[tails], at_ms[tails]
    codes: list[int] = present.tolist()
    named = [batch.by_user.ids[code] for code in codes]
    await transaction.put_recent_items(dict(zip(named, last.stored(places[present]), strict=True)))
    return _pairs(items, at_ms, now[items[now] != NOTHING])


def _pairs(items: Numbers, at_ms: Numbers, now: Numbers) -> Pairs:
    """Return the pairs of the items at ``now`` with those up to ``COUNTED_MAX`` places before."""
    seeds: list[Numbers] = []
    others: list[Numbers] = []
    levels: list[NDArray[np.float64]] = []
    scale = HALF_LIFE_HOURS * MS_PER_HOUR
    for place in range(COUNTED_MAX):
        past = items[now - place - 1]
        counts = (past != NOTHING) & (past != items[now])
        for nearer in range(place):
            counts &= past != items[now - nearer - 1]
        at, before = now[counts], past[counts]
        company = PLACE**place
        succession = FOLLOWING * PLACE_SITTING**place if place < FOLLOWING_MAX else 0.0
        follows = at_ms[at] - at_ms[at - place - 1] < SITTING_MS
        base = at_ms[at] / scale
        seeds += [before, items[at]]
        others += [items[at], before]
        levels += [np.log2(company + succession * follows) + base, np.log2(company) + base]
    return Pairs(np.concatenate(seeds), np.concatenate(others), np.concatenate(levels))
