"""A batch: the records that one transaction processes, decoded once for all processors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from attune.contract.event import Event, Impression, Interaction, read_event
from origin.event_log.port import Record
from origin.packing import unpacked
from origin.storage.port import DeadLetter, UserRow


@dataclass(frozen=True, slots=True)
class Step:
    """One record with what it turned out to be: an event, or the problem that it is.

    Neither is set where the sender's consent does not allow the event to be kept.
    """

    record: Record
    event: Event | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that no transaction processed before, in the order of the log per user.

    ``users`` holds the rows, as they were before the batch, of all users that the events name.
    ``now_ms`` is when the batch is processed, which for imported history is long after it happened.
    """

    events: Sequence[Event]
    users: Mapping[str, UserRow]
    now_ms: int

    @property
    def interactions(self) -> Iterator[Interaction]:
        """Return the interactions, in order."""
        return (event for event in self.events if isinstance(event, Interaction))

    @property
    def impressions(self) -> Iterator[Impression]:
        """Return the impressions, in order."""
        return (event for event in self.events if isinstance(event, Impression))


def decoded(records: Iterable[Record]) -> list[Step]:
    """Return the records as steps; one that cannot be read carries the reason."""
    return [_decoded(record) for record in records]


def _decoded(record: Record) -> Step:
    try:
        event = read_event(unpacked(record.value))
    except (ValueError, OverflowError, RecursionError) as error:
        return Step(record, problem=str(error) or type(error).__name__)
    if not event.consent.allows_events:
        return Step(record)
    if event.occurred_at_ms > record.appended_at_ms:
        # A device's clock that runs ahead would put its clicks above everybody's in every
        # decayed sum until the world has caught up.
        event = replace(event, occurred_at_ms=record.appended_at_ms)
    return Step(record, event)


def dead_letter(step: Step, now_ms: int) -> DeadLetter:
    """Return the step's record as it is kept aside."""
    record = step.record
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key.decode("utf-8", "backslashreplace").replace("\x00", "\\x00"),
        value=record.value,
        problem=step.problem.replace("\x00", "\\x00"),
        failed_at_ms=now_ms,
    )


def ends(steps: Iterable[Step]) -> dict[int, int]:
    """Return for each partition the offset after its last record."""
    return {step.record.partition: step.record.offset + 1 for step in steps}


def first_of_each(events: Iterable[Event], wanted: set[str]) -> list[Event]:
    """Return the events with these ids, each once."""
    waiting = set(wanted)
    found: list[Event] = []
    for event in events:
        if event.event_id in waiting:
            waiting.discard(event.event_id)
            found.append(event)
    return found
