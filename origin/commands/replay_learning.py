"""What the stream's processors teach a replay, for the commands that walk through history."""

from attune.contract.event import Interaction
from kafka_consumers.batch import Batch
from kafka_consumers.counters import Counters
from kafka_consumers.item_vectors import ItemVectors
from kafka_consumers.met import MetItems
from kafka_consumers.users import Users
from origin.storage.port import LearningStore

# A replay's time flies: embeddings that a training changes are read at once.
PROCESSORS = (Counters(), MetItems(), Users(vectors=ItemVectors(fresh_s=0.0)))


async def learn(store: LearningStore, event: Interaction) -> None:
    """Process one interaction in a transaction of its own."""
    async with store.transaction() as transaction:
        batch = Batch.of([event], event.occurred_at_ms)
        for processor in PROCESSORS:
            await processor.process(batch, transaction)
