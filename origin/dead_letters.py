"""Dead letters as records of their topic, for whoever watches it."""

from collections.abc import Iterable

from origin.event_log import DEAD_LETTERS
from origin.packing import packed
from origin.storage.outcomes import OutboxEntry
from origin.storage.port import DeadLetter

SCHEMA = 1


def outbox_entries(letters: Iterable[DeadLetter]) -> list[OutboxEntry]:
    """Return the letters on their way to the topic; one that comes twice has the same place."""
    return [
        OutboxEntry(DEAD_LETTERS, letter.key.encode(), (packed(_record(letter)),))
        for letter in letters
    ]


def _record(letter: DeadLetter) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "key": letter.key,
        "value": letter.value,
        "problem": letter.problem,
        "failed_at_ms": letter.failed_at_ms,
    }
