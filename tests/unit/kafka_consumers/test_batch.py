import numpy as np

from attune.contract.event import pack_event
from attune.contract.logged import log_form
from kafka_consumers.batch import EVENTS_TOPIC, Batch, read_record
from kafka_consumers.event_rows import EventRow
from kafka_consumers.reading import Reading
from origin.event_log.port import Record
from origin.packing import packed
from tests.unit.kafka_consumers.events import impression, interaction


def record(value: bytes, key: bytes = b"ann", offset: int = 7) -> Record:
    return Record("events", 0, offset, key, value, 5_000)


def reading(*values: bytes) -> Reading[EventRow]:
    return Reading[EventRow].of([record(value) for value in values], read_record)


def test_what_cannot_be_read_becomes_a_dead_letter_with_its_reason() -> None:
    wrong = [b"", b"\xc1", packed("text"), packed({"type": "click"}), packed([9, "a"]), packed([2])]
    found = reading(*wrong)
    assert found.rows == [None] * len(wrong)
    letters = found.dead_letters(1)
    assert [letter.value for letter in letters] == wrong
    assert all(letter.problem for letter in letters)
    assert "consent" in letters[3].problem or "event_id" in letters[3].problem


def test_an_event_without_consent_is_withheld_in_silence() -> None:
    found = reading(packed(pack_event(interaction("a")) | {"consent": "none"}))
    assert (found.rows, found.problems) == ([None], {})


def test_an_event_under_another_users_key_is_refused() -> None:
    stray = Reading[EventRow].of([record(packed(log_form(interaction("a"))), b"bob")], read_record)
    assert "key" in stray.problems[0]


def test_a_clock_that_runs_ahead_is_set_to_the_logs() -> None:
    events = [interaction("a", at_ms=9_000_000), interaction("a", at_ms=4_000)]
    found = reading(*(packed(log_form(event)) for event in events))
    rows = [row for row in found.rows if row is not None]
    batch = EVENTS_TOPIC.batch(rows, found.records, 1)
    assert batch.at_ms.tolist() == [5_000, 4_000]
    assert [event.occurred_at_ms for event in batch.events] == [5_000, 4_000]


def test_a_dead_letter_can_be_stored_whatever_its_key_is() -> None:
    found = Reading[EventRow].of([record(b"", key=b"\xff\x00key")], read_record)
    assert found.dead_letters(1)[0].key == "\\xff\\x00key"


def test_the_columns_say_what_the_events_say() -> None:
    events = [
        interaction("a", "cart", "ann"), impression("s", "a", "b"), interaction("b", user_id=None)
    ]  # fmt: skip
    batch = Batch.of(events, 1)
    assert list(batch.events) == events
    assert batch.actions.tolist() == [2, -1, 1]
    assert (batch.by_user.ids, batch.by_user.codes.tolist()) == (["ann"], [0, 0, -1])
    assert (batch.by_item.ids, batch.by_item.codes.tolist()) == (["a", "b"], [0, -1, 1])
    assert batch.by_item.codes.dtype == np.int32


def test_readings_are_joined_and_halved_with_their_problems() -> None:
    good = packed(log_form(interaction("a")))
    whole = Reading[EventRow].joined([reading(good, b"bad"), reading(good), reading(b"worse")])
    assert sorted(whole.problems) == [1, 3]
    first, second = whole.halves()
    assert (len(first), sorted(first.problems), sorted(second.problems)) == (2, [1], [1])
