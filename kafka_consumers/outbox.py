"""The outbox's sender: from the database to the event log, after the commit, at least once.

A crash between the log's confirmation and the deletion sends the records again, which their readers
must bear; every record that is sent this way is made so that a repetition changes nothing. Several
processes may send at once: each locks its own entries.
"""

from dataclasses import dataclass
from itertools import groupby

from origin.event_log.port import EventLog
from origin.storage.port import LearningStore

ENTRIES_PER_TRANSACTION = 500
"""A slate's outcomes are one entry: some thousand records in one append."""


@dataclass(frozen=True, slots=True)
class OutboxSender:
    """Moves records from the outbox to the log."""

    store: LearningStore
    log: EventLog

    async def run(self, now_ms: int) -> int:
        """Send everything that is there; return how many records that were."""
        sent = 0
        while True:
            async with self.store.transaction() as transaction:
                entries = await transaction.outbox(ENTRIES_PER_TRANSACTION)
                for topic, group in groupby(entries, key=lambda entry: entry.topic):
                    records = [(one.key, record) for one in group for record in one.records]
                    await self.log.append(topic, records)
                    sent += len(records)
                if entries:
                    await transaction.drop_outbox([entry.outbox_id for entry in entries])
            if len(entries) < ENTRIES_PER_TRANSACTION:
                return sent
