from attune.contract.event import pack_event
from kafka_consumers.batch import dead_letter, decoded, first_of_each
from origin.event_log.port import Record
from origin.packing import packed
from tests.unit.kafka_consumers.events import interaction


def record(value: bytes, key: bytes = b"ann") -> Record:
    return Record("events", 0, 7, key, value, 5_000)


def test_what_cannot_be_read_becomes_a_problem_with_its_reason() -> None:
    wrong = [b"", b"\xc1", packed("text"), packed({"type": "click"}), packed({"type": "jump"})]
    steps = decoded(record(value) for value in wrong)
    assert all(step.event is None and step.problem for step in steps)
    assert "event_id" in steps[3].problem or "consent" in steps[3].problem


def test_an_event_without_consent_is_withheld_in_silence() -> None:
    packed_event = pack_event(interaction("a")) | {"consent": "none"}
    (step,) = decoded([record(packed(packed_event))])
    assert step.event is None
    assert not step.problem


def test_a_clock_that_runs_ahead_is_set_to_the_logs() -> None:
    events = [interaction("a", at_ms=9_000_000), interaction("a", at_ms=4_000)]
    steps = decoded(record(packed(pack_event(event))) for event in events)
    assert [step.event and step.event.occurred_at_ms for step in steps] == [5_000, 4_000]


def test_a_dead_letter_can_be_stored_whatever_its_key_is() -> None:
    (step,) = decoded([record(b"", key=b"\xff\x00key")])
    assert dead_letter(step, 1).key == "\\xff\\x00key"


def test_an_event_that_comes_twice_in_a_batch_is_taken_once() -> None:
    event, other = interaction("a", event_id="1"), interaction("b", event_id="2")
    assert first_of_each([event, event, other], {"1"}) == [event]
