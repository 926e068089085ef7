"""The daily batch: it learns the events that wait for users who are not active."""

from dataclasses import dataclass

from kafka_consumers.deferred import waited_batch
from kafka_consumers.users import Users
from origin.storage.port import LearningStore

INTERVAL_S = 86_400.0

USERS_PER_TRANSACTION = 5_000
"""About 100 ms, for which processors of users wait; then they read theirs anew."""


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """Learns what waits, a bounded number of users at a time, each event once."""

    store: LearningStore
    users_max: int = USERS_PER_TRANSACTION

    async def run(self, now_ms: int) -> int:
        """Learn all that waits; return how many events that were."""
        total = 0
        while True:
            async with self.store.transaction() as transaction:
                taken = await transaction.take_deferred_page(self.users_max)
                await Users().learn(waited_batch(taken, now_ms), transaction)
            total += sum(one.count for one in taken)
            if len(taken) < self.users_max:
                return total
