"""False alarms and delays of the drift monitor are counted as they are."""

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from attune.contract.event import Interaction
from origin.commands.evaluate import command
from origin.evaluation.drift import Alarms, detection, false_alarms, watched
from origin.evaluation.drift_replay import Past, exchanged, shuffled, stretch
from origin.evaluation.drift_synthetic import (
    Shift,
    features_stream,
    rewards_stream,
    users_stream,
)
from origin.evaluation.ratings import read_ratings

NOTHING = Shift()


def alarms(looks: int, *reward: int) -> Alarms:
    found = Alarms(looks)
    found.alarmed["reward"].extend(reward)
    return found


def test_alarms_before_a_shift_are_false_and_hide_the_true_ones() -> None:
    runs = [alarms(10, 7, 8), alarms(10, 2, 7), alarms(10)]
    calm = false_alarms(runs, "reward")
    assert (calm.looks, calm.alarmed_looks, calm.streams, calm.alarmed_streams) == (30, 4, 3, 2)
    assert calm.rate == 4 / 30
    found = detection(runs, "reward", 6)
    assert (found.streams, found.alarmed_before, found.found) == (3, 1, 1)
    assert (found.delay_median, found.delay_p90) == (2.0, 2.0)
    assert detection([alarms(10)], "reward", 6).delay_median is None


def test_the_monitor_is_calm_where_nothing_moves() -> None:
    # A feature's index has a mean of 9 / 2,000 slates * 2 = .009 at most; .25 is out of reach.
    assert watched(features_stream(12, NOTHING, 1)).alarmed == {
        "population": [], "features": [], "reward": [],
        "feature normal": [], "feature skewed": [], "feature rare": [], "feature per_slate": [],
    }  # fmt: skip
    assert watched(users_stream(12, NOTHING, 1)).alarmed["population"] == []
    assert watched(rewards_stream(1_000, NOTHING, 1)).alarmed["reward"] == []


def test_a_shift_of_each_kind_is_found_by_its_own_test_and_not_before() -> None:
    feature = watched(features_stream(16, Shift(5, feature=1.0), 2))
    assert (feature.first("features") or 0) >= 5
    assert feature.alarmed["features"] == feature.alarmed["feature normal"]
    turned = watched(users_stream(20, Shift(5, users=1.0), 2))
    assert (turned.first("population") or 0) >= 5
    # A fall of .02 is four standard errors of 2,000 trials: 12 / (4.1 - .5) = 3.3 looks.
    fallen = detection([watched(rewards_stream(130, Shift(100, reward=0.4), 2))], "reward", 100)
    assert fallen.found == 1
    assert fallen.delay_median is not None
    assert fallen.delay_median <= 12


def test_a_stretch_keeps_its_events_however_it_is_turned(tmp_path: Path) -> None:
    past = Past.of(history(tmp_path, 700))
    came = stretch(past, 200, 400)
    mixed = shuffled(came, 1)
    pairs = sorted(zip(came.users.tolist(), came.items.tolist(), strict=True))
    assert sorted(zip(mixed.users.tolist(), mixed.items.tolist(), strict=True)) == pairs
    assert mixed.items.tolist() != came.items.tolist()
    other = exchanged(came, 300, 1)
    assert other.items[:300].tolist() == came.items[:300].tolist()
    assert (other.items[300:] != came.items[300:]).mean() > 0.5


def history(folder: Path, count: int) -> list[Interaction]:
    rng = np.random.default_rng(3)
    users, items = rng.integers(0, 300, count), rng.integers(0, 60, count)
    times = 1_300_000_000 + 40 * np.arange(count)
    lines = [f"{u}::{i}::8::{t}" for u, i, t in zip(users, items, times, strict=True)]
    file = folder / "ratings.dat"
    file.write_text("\n".join(lines), encoding="utf-8")
    return read_ratings(file)


def test_the_command_tells_rates_and_delays_of_every_test(tmp_path: Path) -> None:
    history(tmp_path, 8_100)
    ratings = str(tmp_path / "ratings.dat")
    given = ["drift", "--ratings", ratings, "--stretch", "6000", "--streams", "1", "--json"]
    result = CliRunner().invoke(command, given)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    calm = told["synthetic"]["false_alarms"]
    assert {"population", "features", "reward", "feature normal"} <= set(calm)
    assert calm["reward"]["looks"] == 10_080
    assert told["synthetic"]["shifts"]["population_1"]["found"] == 1
    assert told["replay"]["in_random_order"]["reward"]["streams"] == 1
    assert set(told["replay"]["items_exchanged"]) == {"population", "features", "reward"}


def test_a_file_that_is_too_short_is_refused(tmp_path: Path) -> None:
    history(tmp_path, 100)
    result = CliRunner().invoke(command, ["drift", "--ratings", str(tmp_path / "ratings.dat")])
    assert result.exit_code == 1
    assert "holds only 100 events" in result.output
