"""Rows of users as columns, in the compact form in which they are stored.

Per user: the embedding as 64 fixed-point numbers (``round(32767 * x)``, int16: finer than half
precision at these sizes, half the bytes of float32), the recent interactions and the exposures as
bytes that begin with the version of their form:

- recent, version 1: ``1, count``, then oldest first per interaction 7 bytes (little-endian: 42
  bits milliseconds, 4 bits action, 10 bits length) and the item's id;
- exposures, version 1: ``1``, then least recently shown first per item 3 bytes (14 bits times
  shown, 10 bits length) and its id; no bytes at all where nothing was shown.

Version 0, rows of earlier releases, is read for ever: float32 embeddings, msgpack lists and maps.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.event import ACTIONS, Action
from attune.contract.recommendation import RecentInteraction
from origin.packing import unpacked
from origin.storage.port import Embedding, UserColumns, UserRow

Fixed = NDArray[np.int16]
"""Embeddings in fixed point, (U, 64)."""

SCALE = np.float32(32767.0)

VERSION = 1
NO_RECENT = bytes((VERSION, 0))
NO_EXPOSURES = b""

TIME_BITS = 42
ACTION_BITS = 4
LENGTH_BITS = 10
HEAD_BYTES = 7
SHOWN_BITS = 14
SHOWN_HEAD_BYTES = 3
SHOWN_MAX = 2**SHOWN_BITS - 1
LENGTH_SHIFT = TIME_BITS + ACTION_BITS


def columns_of(rows: Sequence[UserRow]) -> UserColumns:
    """Return the rows as columns."""
    vectors = [row.embedding for row in rows]
    return UserColumns(
        [row.user_id for row in rows],
        fixed(np.stack(vectors) if vectors else np.zeros((0, EMBEDDING_DIMENSION), np.float32)),
        np.array([row.covers_until_ms for row in rows], dtype=np.int64),
        np.array([row.interactions for row in rows], dtype=np.int64),
        [recent_bytes(row.recent) for row in rows],
        [exposure_bytes(row.exposures) for row in rows],
    )


def rows_of(columns: UserColumns) -> list[UserRow]:
    """Return the columns as rows."""
    return [
        UserRow(
            user_id=user_id,
            embedding=floats(columns.embeddings[place]),
            covers_until_ms=int(columns.covers_until_ms[place]),
            interactions=int(columns.interactions[place]),
            recent=read_recent(columns.recents[place]),
            exposures=MappingProxyType(read_exposures(columns.exposures[place])),
        )
        for place, user_id in enumerate(columns.user_ids)
    ]


def fixed(vectors: NDArray[np.float32]) -> Fixed:
    """Return vectors with entries in [-1, 1] in fixed point."""
    return np.rint(vectors * SCALE).astype(np.int16)


def floats(numbers: Fixed) -> Embedding:
    """Return fixed-point numbers as float32."""
    return numbers.astype(np.float32) / SCALE


def embedding_bytes(embeddings: Fixed) -> list[bytes]:
    """Return each embedding as it is stored."""
    whole, width = embeddings.astype("<i2", copy=False).tobytes(), 2 * EMBEDDING_DIMENSION
    return [whole[start : start + width] for start in range(0, len(whole), width)]


def read_embeddings(stored: Sequence[bytes]) -> Fixed:
    """Return stored embeddings of either version. (U, 64)"""
    width = 2 * EMBEDDING_DIMENSION
    if all(len(one) == width for one in stored):
        whole = np.frombuffer(b"".join(stored), dtype="<i2")
        return whole.astype(np.int16).reshape(-1, EMBEDDING_DIMENSION)
    return np.stack([_read_embedding(one) for one in stored])


def _read_embedding(stored: bytes) -> Fixed:
    if len(stored) == 2 * EMBEDDING_DIMENSION:
        return np.frombuffer(stored, dtype="<i2").astype(np.int16)
    return fixed(np.frombuffer(stored, dtype="<f4", count=EMBEDDING_DIMENSION).astype(np.float32))


def recent_heads(
    at_ms: NDArray[np.int64], actions: NDArray[np.int64], lengths: NDArray[np.int64]
) -> list[bytes]:
    """Return what stands before each item's id in a list of recent interactions."""
    numbers = at_ms | (actions << TIME_BITS) | (lengths << LENGTH_SHIFT)
    whole = numbers.astype("<u8").tobytes()
    return [whole[start : start + HEAD_BYTES] for start in range(0, len(whole), 8)]


def recent_bytes(recent: Sequence[RecentInteraction]) -> bytes:
    """Return the interactions as they are stored."""
    parts = [bytes((VERSION, len(recent)))]
    for entry in recent:
        name = entry.item_id.encode()
        number = entry.occurred_at_ms | (ACTIONS.index(entry.action) << TIME_BITS)
        parts.append((number | (len(name) << LENGTH_SHIFT)).to_bytes(HEAD_BYTES, "little"))
        parts.append(name)
    return b"".join(parts)


def current_recent(stored: bytes) -> bytes:
    """Return the stored interactions in the form of today."""
    return stored if stored[:1] == b"\x01" else recent_bytes(read_recent(stored))


def without_oldest(entries: bytes, count: int) -> bytes:
    """Return the entries of a list (what follows version and count) without its oldest ones.

    >>> recent = [RecentInteraction("a", "click", 5), RecentInteraction("b", "view", 7)]
    >>> without_oldest(recent_bytes(recent)[2:], 1) == recent_bytes(recent[1:])[2:]
    True
    """
    place = 0
    for _ in range(count):
        head = entries[place : place + HEAD_BYTES]
        place += HEAD_BYTES + (int.from_bytes(head, "little") >> LENGTH_SHIFT)
    return entries[place:]


def read_recent(stored: bytes) -> tuple[RecentInteraction, ...]:
    """Return stored interactions of either version."""
    if stored[:1] != b"\x01":
        triples = cast("list[tuple[str, Action, int]]", unpacked(stored))
        return tuple(RecentInteraction(*triple) for triple in triples)
    found: list[RecentInteraction] = []
    place = 2
    while place < len(stored):
        number = int.from_bytes(stored[place : place + HEAD_BYTES], "little")
        place += HEAD_BYTES
        end = place + (number >> LENGTH_SHIFT)
        action = ACTIONS[(number >> TIME_BITS) & (2**ACTION_BITS - 1)]
        item_id = stored[place:end].decode()
        found.append(RecentInteraction(item_id, action, number & (2**TIME_BITS - 1)))
        place = end
    return tuple(found)


def exposure_bytes(exposures: Mapping[str, int]) -> bytes:
    """Return how often items were shown as it is stored; beyond 16,383 counting ends."""
    if not exposures:
        return NO_EXPOSURES
    parts = [bytes((VERSION,))]
    for item_id, times in exposures.items():
        name = item_id.encode()
        number = min(times, SHOWN_MAX) | (len(name) << SHOWN_BITS)
        parts.append(number.to_bytes(SHOWN_HEAD_BYTES, "little"))
        parts.append(name)
    return b"".join(parts)


def read_exposures(stored: bytes) -> dict[str, int]:
    """Return stored exposures of either version."""
    if not stored:
        return {}
    if stored[:1] != b"\x01":
        return cast("dict[str, int]", unpacked(stored))
    found: dict[str, int] = {}
    place = 1
    while place < len(stored):
        number = int.from_bytes(stored[place : place + SHOWN_HEAD_BYTES], "little")
        place += SHOWN_HEAD_BYTES
        end = place + (number >> SHOWN_BITS)
        found[stored[place:end].decode()] = number & SHOWN_MAX
        place = end
    return found
