"""The memory of which events were processed, so that one that comes again teaches nothing.

A producer that got no answer sends again, within seconds; a browser within minutes. So the last
``REMEMBERED_MIN`` events of each partition are remembered, as 64-bit hashes of their ids, by the
process that owns the partition; the same hashes lie in the database, written in the transaction
that processed the events, and are read again by the next owner. At 1,000 events a second on 8
partitions that is more than an hour, at 50,000 more than a minute. What comes later than that, or
under another partition key, counts again. Two different ids share a hash once in 10^13 events: one
is lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

REMEMBERED_MIN = 2**19
"""Events per partition: 4 MB in the database, at most 16 MB of memory."""

REMEMBERED_MAX = 2 * REMEMBERED_MIN

SLOTS_MIN = 2**10
HALF_FULL = 2
"""Slots per entry at least: beyond it searches of an open table grow long."""

WORD = 8
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
SHIFT = np.uint64(32)
SEED = np.uint64(0x6174747561E7E5E5)


class SeenWindows:
    """What was seen lately of each partition that this process owns."""

    def __init__(self) -> None:
        self._windows: dict[int, SeenWindow] = {}

    def load(self, stored: Mapping[int, bytes]) -> None:
        """Start with what the database remembers, and nothing else."""
        self._windows = {}
        for partition, packed in stored.items():
            self.add({partition: np.frombuffer(packed, dtype="<u8").astype(np.uint64)})

    def fresh(self, partitions: NDArray[np.int64], hashes: Hashes) -> NDArray[np.int64]:
        """Return the places of the events that were never seen, each once, in order."""
        found: list[NDArray[np.int64]] = []
        for partition in np.unique(partitions).tolist():
            places = np.flatnonzero(partitions == partition)
            _, firsts = np.unique(hashes[places], return_index=True)
            places = places[np.sort(firsts)]
            window = self._windows.get(partition)
            if window is not None:
                places = places[~window.contains(hashes[places])]
            found.append(places)
        return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)

    def add(self, seen: Mapping[int, Hashes]) -> None:
        """Remember events, by partition."""
        for partition, hashes in seen.items():
            if partition not in self._windows:
                self._windows[partition] = SeenWindow()
            self._windows[partition].add(hashes)


class SeenWindow:
    """The last events of one partition: at least ``REMEMBERED_MIN``, at most twice as many.

    Two tables: when the younger one is full, it becomes the elder, and the elder is forgotten.
    """

    def __init__(self, remembered_min: int = REMEMBERED_MIN) -> None:
        self._remembered_min = remembered_min
        self._young = HashTable()
        self._old = HashTable()

    def contains(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Return which of the events are remembered."""
        return self._young.contains(hashes) | self._old.contains(hashes)

    def add(self, hashes: Hashes) -> None:
        """Remember events, the youngest last."""
        for start in range(0, len(hashes), self._remembered_min):
            part = hashes[start : start + self._remembered_min]
            if len(self._young) + len(part) > self._remembered_min:
                self._old, self._young = self._young, HashTable()
            self._young.add(part)


class HashTable:
    """A set of 64-bit hashes in one array, asked and filled for many at once.

    Open addressing with linear probing; 0 marks an empty slot, so no hash is 0.
    """

    def __init__(self) -> None:
        self._slots = np.zeros(SLOTS_MIN, dtype=np.uint64)
        self._length = 0

    def __len__(self) -> int:
        """Return how many hashes were added."""
        return self._length

    def contains(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Return which of the hashes are in the set."""
        found = np.zeros(len(hashes), dtype=bool)
        if not self._length:
            return found
        left, places = np.arange(len(hashes)), self._start(hashes)
        while len(left):
            met = self._slots[places]
            found[left[met == hashes[left]]] = True
            going = (met != hashes[left]) & (met != 0)
            left, places = left[going], self._next(places[going])
        return found

    def add(self, hashes: Hashes) -> None:
        """Put hashes into the set."""
        wanted = HALF_FULL * (self._length + len(hashes))
        if wanted > len(self._slots):
            kept = self._slots[self._slots != 0]
            self._slots = np.zeros(2 ** int(wanted).bit_length(), dtype=np.uint64)
            self._place(kept)
        self._place(hashes)
        self._length += len(hashes)

    def _place(self, hashes: Hashes) -> None:
        places = self._start(hashes)
        while len(hashes):
            empty = self._slots[places] == 0
            # Of two that want one empty slot the last one gets it, the other goes on.
            self._slots[places[empty]] = hashes[empty]
            left = self._slots[places] != hashes
            hashes, places = hashes[left], self._next(places[left])

    def _start(self, hashes: Hashes) -> NDArray[np.int64]:
        return (hashes & np.uint64(len(self._slots) - 1)).astype(np.int64)

    def _next(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        return (places + 1) & (len(self._slots) - 1)


def hashed(ids: Sequence[str]) -> Hashes:
    """Return a 64-bit hash of each id, the same on every machine and never 0. (N,)

    The ids are read as columns of 8-byte words, and each word is mixed in by a multiplication; a
    hash of the standard library costs ten times as much, one by one.
    """
    if not ids:
        return np.zeros(0, dtype=np.uint64)
    state = np.full(len(ids), SEED)
    for words in _word_columns(ids):
        # Only beyond the end of an id are all 8 bytes 0.
        state = np.where(words != 0, _mixed(state ^ words), state)
    return np.maximum(_mixed(state), np.uint64(1))


def _mixed(state: Hashes) -> Hashes:
    state = (state ^ (state >> SHIFT)) * MULTIPLIER
    return state ^ (state >> SHIFT)


def _word_columns(ids: Sequence[str]) -> Iterator[Hashes]:
    joined, lengths = "".join(ids), set(map(len, ids))
    if len(lengths) == 1 and joined.isascii():
        fixed = np.frombuffer(joined.encode(), dtype=f"S{lengths.pop()}")
    else:
        fixed = np.array([one.encode() for one in ids], dtype=np.bytes_)
    width = -(-fixed.dtype.itemsize // WORD) * WORD
    words = fixed.astype(f"S{width}").view("<u8").reshape(len(ids), -1)
    yield from cast("Iterator[Hashes]", words.astype(np.uint64, copy=False).T)
