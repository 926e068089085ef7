"""Drift is found where there is some, and not where there is none."""

from dataclasses import replace

import numpy as np

from attune.drift import POPULATION_ALERT
from kafka_consumers.drift import DriftMonitor
from origin.drift import SLATES_MIN, USERS_MIN, Sample, checked, feature_columns
from origin.drift_state import DriftState, packed_state, unpacked_state
from origin.storage.memory import MemoryStore
from origin.storage.port import RewardCount, UserRow
from tests.contract.test_store_outcomes import served

MINUTE_MS = 60_000


def users(count: int, angle: float, seed: int, spread: float = 0.2) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(scale=spread, size=(count, 64))
    noise[:, 0] += np.cos(angle)
    noise[:, 1] += np.sin(angle)
    return (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float32)


def sample(**changes: object) -> Sample:
    nothing = Sample(np.zeros((0, 64), dtype=np.float32), {}, 0, 0.0, 0.0)
    return replace(nothing, **changes)  # type: ignore[arg-type]


def test_a_population_that_turned_is_told_from_other_people_of_the_same_kind() -> None:
    state = checked(DriftState(), sample(users=users(500, 0.0, 1)), 1)
    assert state.report.population_distance == 0.0
    same = checked(state, sample(users=users(500, 0.0, 2)), 2).report
    turned = checked(state, sample(users=users(500, 0.8, 3)), 3).report
    assert same.population_distance is not None
    assert same.population_distance < 0.02
    assert same.alerts == ()
    assert turned.population_distance is not None
    assert turned.population_distance > POPULATION_ALERT
    assert turned.alerts == ("population",)


def test_few_users_or_users_without_a_common_direction_say_nothing() -> None:
    few = checked(DriftState(), sample(users=users(USERS_MIN - 1, 0.0, 1)), 1)
    assert (few.report.population_distance, few.population) == (None, ())
    everywhere = np.random.default_rng(4).normal(size=(2_000, 64)).astype(np.float32)
    everywhere /= np.linalg.norm(everywhere, axis=1, keepdims=True)
    assert checked(DriftState(), sample(users=everywhere), 1).report.population_distance is None


def test_a_feature_that_moved_is_named() -> None:
    def values(shift: float, seed: int) -> dict[str, np.ndarray]:
        noise = np.random.default_rng(seed).normal(size=(2, 3_000))
        return {"still": noise[0], "moved": noise[1] + shift, "constant": np.ones(3_000)}

    state = checked(DriftState(), sample(features=values(0.0, 1), slates=SLATES_MIN), 1)
    same = checked(state, sample(features=values(0.0, 2), slates=SLATES_MIN), 2).report
    assert same.alerts == ()
    assert max(same.feature_indices.values()) < 0.03
    moved = checked(state, sample(features=values(0.8, 3), slates=SLATES_MIN), 3).report
    assert moved.alerts == ("feature moved",)
    assert (
        checked(state, sample(features=values(0.8, 3), slates=SLATES_MIN - 1), 4).report.alerts
        == ()
    )


def test_a_fall_of_rewards_is_found_and_the_ordinary_ups_and_downs_are_not() -> None:
    noise = np.random.default_rng(5)
    state, trials, earned = DriftState(), 0.0, 0.0
    for minute in range(1_000):
        trials += 1_000
        earned += noise.binomial(1_000, 0.05)
        state = checked(state, sample(trials=trials, earned=earned), minute)
        assert not state.report.alerts
    for _ in range(30):
        trials += 1_000
        earned += noise.binomial(1_000, 0.035)
        state = checked(state, sample(trials=trials, earned=earned), 1)
    assert state.report.alerts == ("reward",)


def test_too_few_trials_wait_for_the_next_look() -> None:
    first = checked(DriftState(), sample(trials=100.0, earned=5.0), 1)
    few = checked(first, sample(trials=400.0, earned=20.0), 2)
    assert few.reward.observations == 0
    enough = checked(few, sample(trials=700.0, earned=35.0), 3)
    assert (enough.reward.observations, enough.report.reward_mean) == (1, 0.05)


def test_columns_come_from_the_slates_that_logged_them() -> None:
    columns = feature_columns([served("a"), replace(served("b"), feature_names=("b", "c"))])
    assert {name: values.tolist() for name, values in columns.items()} == {
        "a": [1.0, 3.0], "b": [2.0, 4.0, 1.0, 3.0], "c": [2.0, 4.0],
    }  # fmt: skip


async def test_the_monitor_looks_once_a_minute_and_remembers() -> None:
    store = MemoryStore()

    async def add(count: int, angle: float) -> None:
        async with store.transaction() as transaction:
            rows = users(count, angle, 1)
            await transaction.put_users([UserRow(f"u{n}", row) for n, row in enumerate(rows)])
            await transaction.add_rewards([RewardCount("i", "mobile", 900, 90)])

    await add(300, 0.0)
    assert await DriftMonitor(store).run(MINUTE_MS) == 0
    await add(300, 1.5)
    assert await DriftMonitor(store).run(MINUTE_MS + 1_000) == 0
    assert await DriftMonitor(store).run(2 * MINUTE_MS) == 1
    async with store.transaction() as transaction:
        state = unpacked_state(await transaction.fitting("drift"))
    assert state.report.alerts == ("population",)
    assert state.report.reward_mean == 0.1
    assert unpacked_state(packed_state(state)) == state
