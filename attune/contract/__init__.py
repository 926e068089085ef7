"""The wire contract: every value that crosses a process boundary, one family per file."""

SCHEMA_VERSION = 1
"""Version of the wire contract. A reader refuses a newer one and keeps reading older ones."""
