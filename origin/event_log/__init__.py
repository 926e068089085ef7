"""The event log: a port with an embedded adapter (PostgreSQL) and a Kafka adapter."""
