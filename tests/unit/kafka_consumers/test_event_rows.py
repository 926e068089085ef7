import msgpack
import pytest

from attune.contract.event import Event
from attune.contract.logged import log_form, read_logged
from kafka_consumers.event_rows import event_of, read_row
from tests.unit.attune.test_logged import CLICK, GOLDEN, SEEN


@pytest.mark.parametrize(("stored", "event"), GOLDEN)
def test_rows_say_what_the_contracts_reader_says(stored: str, event: Event) -> None:
    row = read_row(bytes.fromhex(stored))
    assert event_of(row, row.occurred_at_ms) == event


@pytest.mark.parametrize("event", [CLICK, SEEN])
def test_nothing_is_accepted_that_the_contracts_reader_refuses_or_reads_otherwise(
    event: Event,
) -> None:
    form = log_form(event)
    assert _outcome(form, fast=True) == event
    for place in range(len(form)):
        for wrong in (None, "", -1, 2**60, 1.5, [], {}, "x" * 200):
            spoiled = [*form[:place], wrong, *form[place + 1 :]]
            found = _outcome(spoiled, fast=True)
            assert found in (None, _outcome(spoiled, fast=False)), (place, wrong)


def _outcome(form: list[object], fast: bool) -> Event | None:
    try:
        if not fast:
            return read_logged(form)
        row = read_row(msgpack.packb(form))
        return event_of(row, row.occurred_at_ms)
    except ValueError:
        return None
