"""The groups: which processors learn together from which topic.

The processors of a group share transactions and so progress together; groups do not wait for each
other. Each has a name, under which the database knows how far it is in its topic.
"""

from typing import Any

from kafka_consumers.batch import EVENTS_TOPIC, Batch
from kafka_consumers.counters import Counters
from kafka_consumers.deferred import Boundary
from kafka_consumers.erasure import ERASURES_TOPIC, Erasure
from kafka_consumers.event_rows import EventRow
from kafka_consumers.met import MetItems
from kafka_consumers.rewards import Rewards
from kafka_consumers.runner import Runner
from kafka_consumers.served import SERVED_TOPIC, Served
from kafka_consumers.users import Users
from origin.event_log import RETENTION_MS
from origin.event_log.port import EventLog
from origin.storage.port import REWARDS_GROUP, LearningStore

EventRunner = Runner[EventRow, Batch]
AnyRunner = Runner[Any, Any]

USERS = "users"
"""Embeddings, recent items and exposures: what the next slate needs first."""
LEARNING = REWARDS_GROUP
"""What the crowd and the bandit learn."""

EVENT_GROUPS = (USERS, LEARNING)
"""The groups that learn from the topic of events."""

SERVED = "served"
FORGETTING = "forgetting"


def event_runners(
    log: EventLog,
    store: LearningStore,
    rewards: Rewards | None = None,
    boundary: Boundary | None = None,
) -> list[EventRunner]:
    """Return a runner for each of the groups that learn from events, with new processors."""
    learning = (Counters(), MetItems(), rewards or Rewards())
    return [
        Runner(log, store, EVENTS_TOPIC, USERS, [Users(boundary=boundary or Boundary())]),
        Runner(log, store, EVENTS_TOPIC, LEARNING, learning),
    ]


def record_runners(
    log: EventLog, store: LearningStore, log_retention_ms: int = RETENTION_MS
) -> list[AnyRunner]:
    """Return a runner for each of the other topics, with new processors."""
    return [
        Runner(log, store, SERVED_TOPIC, SERVED, [Served()]),
        Runner(log, store, ERASURES_TOPIC, FORGETTING, [Erasure(log_retention_ms)]),
    ]
