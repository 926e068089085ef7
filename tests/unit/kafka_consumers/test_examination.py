import numpy as np
import pytest

from attune.examination import Examination
from kafka_consumers.examination import (
    FIT_INTERVAL_MS,
    ExaminationFitter,
    fitted_examination,
    packed_fit,
    unpacked_fit,
)
from kafka_consumers.rewards import Rewards
from origin.dataset.visitors import examined
from origin.storage.memory import MemoryStore
from origin.storage.outcomes import PositionCount
from tests.unit.kafka_consumers.events import HOUR_MS, impression, interaction
from tests.unit.kafka_consumers.test_rewards import learned

POSITIONS = 8


def world(showings: int, seed: int = 3) -> list[PositionCount]:
    """Return counts of a shop that shows better items higher up, most of the time."""
    noise = np.random.default_rng(seed)
    appeals = np.sort(noise.beta(2, 20, size=100))[::-1]
    counts: list[PositionCount] = []
    for item, appeal in enumerate(appeals):
        usual = item * POSITIONS // len(appeals)
        shares = np.where(np.arange(POSITIONS) == usual, 0.65, 0.05)
        for position, shown in enumerate(noise.multinomial(showings, shares)):
            acted = noise.binomial(shown, appeal * examined(position))
            counts.append(PositionCount(f"item-{item}", position, int(shown), int(acted)))
    return counts


def test_examination_is_told_apart_from_the_appeal_of_what_stands_there() -> None:
    counts = world(showings=20_000)
    found = fitted_examination(counts)
    # The rarest position has about 7,000 acts: a standard error of 1.3 % of its probability.
    true = [examined(position) / examined(0) for position in range(POSITIONS)]
    assert found.examined == pytest.approx(true, rel=0.07)
    naive = [
        sum(one.acted for one in counts if one.position == place)
        / sum(one.shown for one in counts if one.position == place)
        for place in (0, POSITIONS - 1)
    ]
    # Plain click rates confuse the two: better items stand higher up.
    assert naive[1] / naive[0] < 0.7 * true[-1]


def test_few_acts_or_fixed_places_leave_every_position_alike() -> None:
    assert fitted_examination([]) == Examination()
    assert fitted_examination(world(showings=30)) == Examination()
    fixed = [PositionCount(f"item-{n}", n % POSITIONS, 10_000, 500) for n in range(100)]
    assert fitted_examination(fixed) == Examination()


def test_a_fit_comes_back_as_it_was_stored() -> None:
    fit = 7, Examination((1.0, 0.5), 0.25)
    assert unpacked_fit(packed_fit(*fit)) == fit


async def test_a_process_takes_over_what_another_one_fitted_until_it_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    monkeypatch.setattr("kafka_consumers.examination.ACTS_MIN", 1)
    monkeypatch.setattr("kafka_consumers.examination.ITEMS_MIN", 1)
    await learned(store, impression("1", "a", "b"), interaction("a", slate_id="1"))
    first, second = Rewards(), Rewards()
    now_ms = HOUR_MS * 2
    assert await ExaminationFitter(store, first).run(now_ms) == 0, "no item at two positions"
    await learned(store, impression("2", "b", "a"), interaction("a", slate_id="2"))
    assert await ExaminationFitter(store, second).run(now_ms + FIT_INTERVAL_MS - 1) == 0
    assert await ExaminationFitter(store, second).run(now_ms + FIT_INTERVAL_MS) == 2
    assert await ExaminationFitter(store, first).run(now_ms + FIT_INTERVAL_MS) == 2
    assert first.examination == second.examination
