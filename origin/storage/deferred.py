"""The port to deferred events: what users did who are not active, until it is applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DeferredEvents:
    """Events of one user in the order of the log.

    ``latest_ms`` is the latest interaction among them, 0 without any. ``events`` holds a msgpack
    array for each, one behind the other (``kafka_consumers.deferred``).
    """

    user_id: str
    count: int
    latest_ms: int
    events: bytes


class DeferringTransaction(Protocol):
    """The part of a learning transaction that is about events which wait."""

    async def deferred_latest(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Return ``latest_ms`` of those users for whom events wait."""
        ...

    async def defer(self, rows: Sequence[DeferredEvents]) -> None:
        """Let events wait, behind those that do, in a transaction that owns users."""
        ...

    async def take_deferred(self, user_ids: Sequence[str]) -> Sequence[DeferredEvents]:
        """Return what waits for these users and remove it, in a transaction that owns users."""
        ...

    async def take_deferred_page(self, users_max: int) -> Sequence[DeferredEvents]:
        """Return what waits for so many users and remove it; nobody else has users meanwhile.

        From outside of the stream: who remembers users drops them.
        """
        ...
