"""The event log: a port with an embedded adapter (PostgreSQL) and a Kafka adapter."""

from typing import TYPE_CHECKING

from origin.event_log.port import EventLog

if TYPE_CHECKING:
    from origin.settings import Settings

EVENTS = "events"
"""Interactions and slates that were seen, keyed by user (by session where there is none)."""

IMPRESSIONS = "impressions"
"""Every slate that the edge served, with features and propensities; keyed like events."""

REWARDS = "rewards"
"""What became of each shown item: an impression joined with its interactions."""

ERASURES = "erasures"
"""Users who want to be forgotten, keyed by user."""

DEAD_LETTERS = "dead-letters"
"""Records that could not be processed, each with its place and the reason."""

TOPICS = (EVENTS, IMPRESSIONS, REWARDS, ERASURES, DEAD_LETTERS)

PARTITIONS = 8
"""Of a new topic: as many processes can share the work. More cost every batch a little."""

RETENTION_MS = 7 * 24 * 3600 * 1000
"""A week: longer than any outage of the processors that nobody notices."""

MS_PER_HOUR = 3_600_000


async def open_event_log(
    database_url: str,
    kafka_bootstrap_servers: str | None,
    partitions: int = PARTITIONS,
    retention_ms: int = RETENTION_MS,
) -> EventLog:
    """Return the log on Kafka where its address is given, else the one inside the database.

    Args:
        database_url: of the database that holds the log where there is no Kafka.
        kafka_bootstrap_servers: ``host:port`` of some brokers, separated by commas.
        partitions: of a topic that does not exist yet; an existing one keeps its own.
        retention_ms: how long records are kept. A topic on Kafka keeps what it was created with.

    Raises:
        LogUnavailableError: when it does not answer.
    """
    if kafka_bootstrap_servers is None:
        from origin.event_log.embedded import EmbeddedEventLog

        return await EmbeddedEventLog.open(database_url, partitions, retention_ms)
    from origin.event_log.kafka import KafkaEventLog

    return await KafkaEventLog.open(kafka_bootstrap_servers, partitions, retention_ms)


async def open_configured_log(settings: "Settings", database_url: str) -> EventLog:
    """Return the log that the settings describe.

    Raises:
        LogUnavailableError: when it does not answer.
    """
    return await open_event_log(
        database_url,
        settings.kafka_bootstrap_servers,
        settings.topic_partitions,
        settings.topic_retention_hours * MS_PER_HOUR,
    )
