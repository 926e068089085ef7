"""Simulated serving: the same for a seed, bounded exploration, and better than chance."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from origin.commands import main
from origin.simulation.policies import POLICIES
from origin.simulation.runs import curve, simulated, summary
from origin.simulation.shop import Shop, World

SMALL = World(items=120, visitors=20, slates=200, drift=0.3, launches=0.3)


def test_a_run_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    first, again, other = (simulated(SMALL, "attune", seed) for seed in (1, 1, 2))
    assert np.array_equal(first.expected, again.expected)
    assert not np.array_equal(first.expected, other.expected)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_no_policy_beats_the_best_slate_or_shows_what_is_not_for_sale(name: str) -> None:
    run = simulated(SMALL, name, 3)
    assert len(run.expected) == SMALL.slates
    assert np.all(run.expected <= run.best + 1e-9)
    half = SMALL.slates // 2
    assert not run.launched[:half].any()
    assert run.launched_best[half:].any()


def test_our_slates_explore_within_the_band_and_learn() -> None:
    world = World(items=150, visitors=30, slates=800)
    ours, chance = (simulated(world, name, 0) for name in ("attune", "random"))
    assert np.all(ours.explored <= 0.15 + 1e-9)
    assert 0.05 < ours.explored[200:].mean() < 0.15
    late = slice(600, None)
    gaps = ours.expected[late] - chance.expected[late]
    assert gaps.mean() > 5.0 * gaps.std() / np.sqrt(len(gaps))


def test_drift_changes_what_is_good_at_half_time() -> None:
    shop = Shop(World(items=100, visitors=5, slates=60, drift=0.5), 1)
    qualities = [shop.environment.storefront.quality.copy() for _ in shop.pages()]
    assert np.array_equal(qualities[0], qualities[29])
    turned = (qualities[0] != qualities[59]).mean()
    assert 0.25 < turned < 0.75  # five standard errors of a share of 0.5 over 100 items


def test_a_course_covers_all_slates_and_measures_lift_against_chance() -> None:
    runs = [simulated(SMALL, "random", 0)]
    points = curve(runs, runs)
    assert points[-1].slates == SMALL.slates
    assert [point.lift_percent for point in points] == [0.0] * len(points)
    assert summary(runs)["exploration_rate"] == [1.0]


def test_the_command_names_its_figures() -> None:
    arguments = ["simulate", "--slates", "60", "--seeds", "2", "--items", "60", "--processes", "1"]
    found = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
    ours = found["policies"]["attune"]
    assert ours["regret_percent"]["seeds"] == 2
    assert ours["curve"][-1]["slates"] == 60
    table = CliRunner().invoke(main, [*arguments, "--launches", "0.3"])
    assert table.exit_code == 0
    assert "new items since their launch" in table.output
