"""Bodies of requests, bounded and decoded; whatever is wrong with one is a ContractError."""

import asyncio
import json
from typing import cast

from starlette.requests import Request

from attune.contract.decode import ContractError
from origin.http.routes.endpoint import MSGPACK
from origin.packing import unpacked

BODY_DEADLINE_S = 30
"""Enough for 32 MB on a slow line between data centres; a browser's batch takes milliseconds."""

MSGPACK_TYPES = (MSGPACK, "application/x-msgpack", "application/vnd.msgpack")


async def bounded_body(request: Request, bytes_max: int) -> bytes:
    """Return the body.

    Raises:
        ContractError: with status 413 as soon as it is known to be larger than ``bytes_max``, 408
            when it does not come to an end.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > bytes_max:
        raise too_large(bytes_max)
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            return await _streamed(request, bytes_max)
    except TimeoutError:
        problem = f"the body took longer than {BODY_DEADLINE_S} seconds"
        raise ContractError("", problem, 408) from None


async def _streamed(request: Request, bytes_max: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > bytes_max:
            raise too_large(bytes_max)
        parts.append(part)
    return b"".join(parts)


def too_large(bytes_max: int) -> ContractError:
    """Return the error for a body beyond the limit."""
    return ContractError("", f"the body must be at most {bytes_max} bytes", 413)


async def json_body(request: Request, bytes_max: int) -> object:
    """Return the decoded JSON body. The content type is not asked: beacons say text/plain."""
    return decoded_json(await bounded_body(request, bytes_max))


async def msgpack_body(request: Request, bytes_max: int) -> object:
    """Return the decoded msgpack body."""
    return decoded_msgpack(await bounded_body(request, bytes_max))


def global_privacy_control(request: Request) -> bool:
    """Return whether the browser sent ``Sec-GPC: 1``."""
    return request.headers.get("sec-gpc", "").strip() == "1"


def is_msgpack(request: Request) -> bool:
    """Return whether the body says that it is msgpack."""
    stated = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return stated in MSGPACK_TYPES


def decoded_json(text: bytes) -> object:
    """Return the value in a JSON text; NaN and the infinities are no JSON."""
    try:
        return cast("object", json.loads(text, parse_constant=_refuse_constant))
    except RecursionError:
        raise ContractError("", "the JSON is nested too deeply") from None
    except ValueError as error:
        raise ContractError("", f"the body is not valid JSON: {error}") from None


def decoded_msgpack(data: bytes) -> object:
    """Return the value in a msgpack body."""
    try:
        return unpacked(data)
    except (ValueError, RecursionError) as error:
        problem = f"the body is not valid msgpack: {error or type(error).__name__}"
        raise ContractError("", problem) from None


def query_integer(request: Request, name: str, low: int, high: int, default: int) -> int:
    """Return a whole number from the query."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        number = int(text) if len(text) <= 18 else high + 1
    except ValueError:
        raise ContractError(name, "must be a whole number") from None
    if not low <= number <= high:
        raise ContractError(name, f"must be from {low} to {high}")
    return number


def query_text(request: Request, name: str, length_max: int, default: str = "") -> str:
    """Return a string from the query."""
    text = request.query_params.get(name, default)
    if len(text) > length_max or "\x00" in text:
        raise ContractError(name, f"must be at most {length_max} characters, without NUL")
    return text


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")
