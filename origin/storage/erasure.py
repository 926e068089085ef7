"""The port to forgetting: a user's rows go, a tombstone stays, a receipt says what was done."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

from attune.contract.erasure import ErasureReceipt, ErasureRequest


class ErasureTransaction(Protocol):
    """The part of a learning transaction that is about forgetting."""

    async def erase_user(self, request: ErasureRequest, topics: Sequence[str]) -> Mapping[str, int]:
        """Remove what is known of the user from before the request; return the rows by table.

        Waits until no batch of the topics is under way, and holds new ones up until the end of the
        transaction: what they would have written of the user is then known to be erased.
        """
        ...

    async def erased_users(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Return for those users who were erased the instant until which that holds."""
        ...

    async def latest_erasure_ms(self) -> int:
        """Return the latest instant until which anybody was erased, -1 where nobody was."""
        ...

    async def add_receipt(self, receipt: ErasureReceipt) -> None:
        """Keep the receipt; the first one of a request stays."""
        ...


class ReceiptStore(Protocol):
    """Where receipts are read."""

    async def receipt(self, erasure_id: str) -> ErasureReceipt | None:
        """Return the receipt, None while the request was not carried out."""
        ...


def user_hash(user_id: str) -> bytes:
    """Return what stays of an erased user's id."""
    return hashlib.sha256(user_id.encode()).digest()
