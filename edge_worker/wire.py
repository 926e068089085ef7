"""msgpack, as it crosses to JavaScript and to the origin."""

# msgpack is not typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any, cast

import msgpack


def pack(value: object) -> bytes:
    """Return the value as msgpack."""
    return cast("bytes", msgpack.packb(value))


def unpack(payload: bytes) -> Any:
    """Return the value in a msgpack message; raise ValueError where it is not one."""
    return msgpack.unpackb(payload)
