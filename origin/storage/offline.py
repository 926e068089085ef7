"""The port to the feature store's history: what was decided, and what was known by then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from attune.contract.event import Impression
from attune.contract.recommendation import RecentInteraction
from attune.contract.served import ServedSlate
from origin.storage.outcomes import KeptInteraction

Place = tuple[int, str]
"""Where a page ends: the instant and the slate id of its last decision."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One slate as it was decided; ``served`` is None where only the browser told of it."""

    slate_id: str
    at_ms: int
    served: ServedSlate | None = None


class OfflineStore(Protocol):
    """The history, read in bulk. Every method may raise StoreUnavailableError."""

    async def count_decisions(self, from_ms: int, to_ms: int) -> int:
        """Return how many slates were decided in [from_ms, to_ms)."""
        ...

    async def decisions(self, after: Place, to_ms: int, limit: int) -> Sequence[Decision]:
        """Return decisions behind ``after`` and before ``to_ms``, in the order of time and id."""
        ...

    async def seen(self, slate_ids: Sequence[str]) -> Mapping[str, Impression]:
        """Return the impressions of those slates that were seen."""
        ...

    async def interactions_with(self, slate_ids: Sequence[str]) -> Sequence[KeptInteraction]:
        """Return what was done with items of the slates, in no order."""
        ...

    async def sequences(
        self, wanted: Sequence[tuple[str, int]], limit: int
    ) -> Sequence[Sequence[RecentInteraction]]:
        """Return for each (user, instant) the user's last interactions before it, oldest first.

        What names a slate that was served or seen at the instant or after it happened after it,
        whatever the device's clock said.
        """
        ...
