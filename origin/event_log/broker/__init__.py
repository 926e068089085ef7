"""A real Apache Kafka on this machine, for tests and local use."""
