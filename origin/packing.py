"""msgpack with types: what travels between our tiers and lies in our binary columns."""

from typing import cast

import msgpack


def packed(value: object) -> bytes:
    """Return the msgpack form of plain values."""
    return cast("bytes", msgpack.packb(value))  # pyright: ignore[reportUnknownMemberType]


def unpacked(data: bytes) -> object:
    """Return the plain values in ``data``.

    Raises:
        ValueError: when it is not one msgpack value.
    """
    return cast("object", msgpack.unpackb(data))  # pyright: ignore[reportUnknownMemberType]
