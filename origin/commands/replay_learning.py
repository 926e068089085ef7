"""What the stream's processors teach a replay, for the commands that walk through history."""

from attune.contract.event import Interaction
from kafka_consumers.batch import Batch
from kafka_consumers.counters import Counters
from kafka_consumers.users import Users
from origin.storage.port import LearningStore, UserRow

PROCESSORS = (Users(), Counters())


async def learn(store: LearningStore, event: Interaction) -> None:
    """Process one interaction in a transaction of its own."""
    async with store.transaction() as transaction:
        users: dict[str, UserRow] = {}
        if event.user_id is not None:
            known = await transaction.users([event.user_id])
            users[event.user_id] = known.get(event.user_id) or UserRow(event.user_id)
        batch = Batch([event], users, event.occurred_at_ms)
        for processor in PROCESSORS:
            await processor.process(batch, transaction)
