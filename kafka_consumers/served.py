"""The served-slates processor: keeps what the edge decided, with the features it decided on."""

from collections.abc import Sequence
from dataclasses import dataclass

from attune.contract.decode import ContractError
from attune.contract.served import ServedSlate, read_served_slate
from kafka_consumers.reading import Topic
from origin.event_log import IMPRESSIONS
from origin.event_log.port import Record
from origin.packing import unpacked
from origin.storage.port import LearningTransaction


@dataclass(frozen=True, slots=True)
class ServedRow:
    """A decision as the runner sees it."""

    slate: ServedSlate

    @property
    def event_id(self) -> str:
        """The id under which it counts once."""
        return self.slate.slate_id

    @property
    def user_id(self) -> str | None:
        """Who was served."""
        return self.slate.user_id

    @property
    def occurred_at_ms(self) -> int:
        """When the edge decided."""
        return self.slate.served_at_ms


@dataclass(frozen=True, slots=True)
class ServedBatch:
    """Decisions that are kept in one transaction."""

    slates: Sequence[ServedSlate]
    now_ms: int


def read_served(record: Record) -> ServedRow:
    """Return the decision in a record."""
    slate = read_served_slate(unpacked(record.value))
    if slate.partition_key.encode() != record.key:
        raise ContractError("user_id", "is not the key of the record")
    return ServedRow(slate)


def served_batch(rows: Sequence[ServedRow], records: Sequence[Record], now_ms: int) -> ServedBatch:
    """Return the rows as a batch."""
    return ServedBatch([row.slate for row in rows], now_ms)


SERVED_TOPIC = Topic(IMPRESSIONS, read_served, served_batch)


class Served:
    """The processor of served slates."""

    async def process(self, batch: ServedBatch, transaction: LearningTransaction) -> None:
        """Keep the decisions."""
        await transaction.add_served(batch.slates, batch.now_ms)

    def forget(self) -> None:
        """Do nothing: nothing is remembered."""
