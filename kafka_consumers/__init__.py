"""kafka_consumers."""
