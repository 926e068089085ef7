"""The load of benchmarks: real events, each with an id of its own."""

import random

from attune.contract.logged import read_logged
from origin.bench.background import encoded
from origin.packing import unpacked


def test_every_event_of_the_load_can_be_read_and_has_an_id_and_key_of_its_own() -> None:
    portions = encoded(50, items=7, rng=random.Random(1))
    records = [record for _ in range(4) for record in next(portions)]
    events = [read_logged(unpacked(value)) for _, value in records]
    assert len({event.event_id for event in events}) == 200
    assert [event.user_id.encode() for event in events if event.user_id] == [
        key for key, _ in records
    ]
