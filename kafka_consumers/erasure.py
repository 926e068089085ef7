"""The erasure processor: users who want to be forgotten are, everywhere and for good.

A request of topic ``erasures`` removes the user's rows and leaves a tombstone with its time. Every
batch asks for tombstones of its users and drops what they did before (``spared``), so that neither
a late event nor a replay brings anything back. What a user does afterwards begins a new history.
What the crowd has learned (counts of items, pairs and buckets) names nobody and stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from attune.contract.erasure import ErasureReceipt, ErasureRequest
from attune.contract.event import Event
from origin.event_log import EVENTS, IMPRESSIONS, RETENTION_MS
from origin.storage.port import LearningTransaction

TOPICS = (EVENTS, IMPRESSIONS)
"""Where records of users come from."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The processor of requests to be forgotten."""

    log_retention_ms: int = RETENTION_MS

    async def carry_out(
        self, requests: Sequence[ErasureRequest], transaction: LearningTransaction, now_ms: int
    ) -> None:
        """Forget the users and write the receipts."""
        for request in requests:
            removed = await transaction.erase_user(request, TOPICS)
            receipt = ErasureReceipt(
                erasure_id=request.erasure_id,
                requested_at_ms=request.requested_at_ms,
                erased_at_ms=now_ms,
                log_expires_at_ms=request.requested_at_ms + self.log_retention_ms,
                removed=removed,
            )
            await transaction.add_receipt(receipt)


def spared(events: Iterable[Event], erased: Mapping[str, int]) -> list[Event]:
    """Return the events without those that erased users caused before they were erased."""
    return [event for event in events if not _is_erased(event, erased)]


def _is_erased(event: Event, erased: Mapping[str, int]) -> bool:
    return event.user_id is not None and event.occurred_at_ms <= erased.get(event.user_id, -1)
