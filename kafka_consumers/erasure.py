"""The erasure processor: users who want to be forgotten are, everywhere and for good.

A request of topic ``erasures`` removes the user's rows and leaves a tombstone with its time. Every
batch drops what erased users did before (``spared_places``), so that neither a late event nor a
replay brings anything back. What a user does afterwards begins a new history. What the crowd has
learned (counts of items, pairs and buckets) names nobody and stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from attune.contract.erasure import ErasureReceipt, ErasureRequest, read_erasure
from kafka_consumers.reading import Identified, Topic
from origin.event_log import ERASURES, EVENTS, IMPRESSIONS, RETENTION_MS
from origin.event_log.port import Record
from origin.packing import unpacked
from origin.storage.port import LearningTransaction

TOPICS = (EVENTS, IMPRESSIONS)
"""Where records of users come from."""


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """A request as the runner sees it: nobody's own, so that no tombstone hides it."""

    request: ErasureRequest
    user_id: None = None

    @property
    def event_id(self) -> str:
        """The id under which it counts once."""
        return self.request.erasure_id

    @property
    def occurred_at_ms(self) -> int:
        """When the user asked."""
        return self.request.requested_at_ms


@dataclass(frozen=True, slots=True)
class ErasureBatch:
    """Requests that are carried out in one transaction."""

    requests: Sequence[ErasureRequest]
    now_ms: int


def read_request(record: Record) -> ErasureRow:
    """Return the request in a record."""
    return ErasureRow(read_erasure(unpacked(record.value)))


def erasure_batch(
    rows: Sequence[ErasureRow], records: Sequence[Record], now_ms: int
) -> ErasureBatch:
    """Return the rows as a batch."""
    return ErasureBatch([row.request for row in rows], now_ms)


ERASURES_TOPIC = Topic(ERASURES, read_request, erasure_batch)


@dataclass(frozen=True, slots=True)
class Erasure:
    """The processor of requests to be forgotten."""

    log_retention_ms: int = RETENTION_MS

    async def process(self, batch: ErasureBatch, transaction: LearningTransaction) -> None:
        """Forget the users and write the receipts."""
        for request in batch.requests:
            removed = await transaction.erase_user(request, TOPICS)
            receipt = ErasureReceipt(
                erasure_id=request.erasure_id,
                requested_at_ms=request.requested_at_ms,
                erased_at_ms=batch.now_ms,
                log_expires_at_ms=request.requested_at_ms + self.log_retention_ms,
                removed=removed,
            )
            await transaction.add_receipt(receipt)

    def forget(self) -> None:
        """Do nothing: nothing is remembered."""


async def spared_places(rows: Sequence[Identified], transaction: LearningTransaction) -> list[int]:
    """Return the places of the rows that no erased user caused before the erasure."""
    everything = list(range(len(rows)))
    latest_ms = await transaction.latest_erasure_ms()
    if latest_ms <= 0:
        return everything
    users = {row.user_id for row in rows if row.occurred_at_ms <= latest_ms}
    if not any(users):
        return everything
    erased = await transaction.erased_users([user for user in users if user is not None])
    return [place for place in everything if not _is_erased(rows[place], erased)]


def _is_erased(row: Identified, erased: Mapping[str, int]) -> bool:
    return row.user_id is not None and row.occurred_at_ms <= erased.get(row.user_id, -1)
