"""The event log: a port with an embedded adapter (PostgreSQL) and a Kafka adapter."""

from origin.event_log.port import EventLog

EVENTS = "events"
"""The topic of interactions and impressions, keyed by user (by session where there is none)."""

PARTITIONS = 8
"""Of a new topic: as many processes can share the work. More cost every batch a little."""

RETENTION_MS = 7 * 24 * 3600 * 1000
"""A week: longer than any outage of the processors that nobody notices."""


async def open_event_log(database_url: str, kafka_bootstrap_servers: str | None) -> EventLog:
    """Return the log on Kafka where its address is given, else the one inside the database.

    Raises:
        LogUnavailableError: when it does not answer.
    """
    if kafka_bootstrap_servers is None:
        from origin.event_log.embedded import EmbeddedEventLog

        return await EmbeddedEventLog.open(database_url, PARTITIONS, RETENTION_MS)
    from origin.event_log.kafka import KafkaEventLog

    return await KafkaEventLog.open(kafka_bootstrap_servers, PARTITIONS, RETENTION_MS)
