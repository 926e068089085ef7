"""Erasure: a user's wish to be forgotten, and the receipt that says what was removed where."""

from collections.abc import Mapping
from dataclasses import dataclass

from attune.contract import SCHEMA_VERSION
from attune.contract.decode import Fields


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """A user who wants to be forgotten, with everything that happened until then."""

    erasure_id: str
    user_id: str
    requested_at_ms: int


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What became of a request; it names no user any more.

    ``removed`` counts rows by table. The event log cannot be rewritten: its records expire by
    ``log_expires_at_ms``, and until then the processors ignore them, in a replay too.
    """

    erasure_id: str
    requested_at_ms: int
    erased_at_ms: int
    log_expires_at_ms: int
    removed: Mapping[str, int]


def pack_erasure(request: ErasureRequest) -> dict[str, object]:
    """Return the wire form of a request, for msgpack."""
    return {
        "schema": SCHEMA_VERSION,
        "erasure_id": request.erasure_id,
        "user_id": request.user_id,
        "requested_at_ms": request.requested_at_ms,
    }


def read_erasure(raw: object) -> ErasureRequest:
    """Return the request in ``raw``; raise ContractError naming the first wrong field."""
    fields = Fields(raw)
    fields.schema()
    return ErasureRequest(
        erasure_id=fields.text("erasure_id"),
        user_id=fields.text("user_id"),
        requested_at_ms=fields.time_ms("requested_at_ms"),
    )


def pack_receipt(receipt: ErasureReceipt) -> dict[str, object]:
    """Return the wire form of a receipt, for JSON."""
    return {
        "schema": SCHEMA_VERSION,
        "erasure_id": receipt.erasure_id,
        "requested_at_ms": receipt.requested_at_ms,
        "erased_at_ms": receipt.erased_at_ms,
        "log_expires_at_ms": receipt.log_expires_at_ms,
        "removed": dict(receipt.removed),
    }
