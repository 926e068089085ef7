"""What experiments promise: stable arms, few false alarms however often one looks, less noise."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from attune.assignment import Arm, Experiment, Layer, arm_of, assigned, assignments
from attune.interleaving import Pick, points, team_draft
from origin.experiments.cuped import adjusted
from origin.experiments.sequential import Sums, look, mixture_deviation
from origin.experiments.soundness import is_sound, sample_ratio_p

HALVES = (Arm("control", 0.5), Arm("new", 0.5))
USERS = [f"user-{number}" for number in range(20_000)]


def layer(name: str, *ranges: tuple[int, int]) -> Layer:
    return Layer(
        name,
        tuple(Experiment(f"{name}-{n}", a, b, HALVES) for n, (a, b) in enumerate(ranges)),
    )


def test_assignment_is_stable_and_its_shares_are_as_planned() -> None:
    one = layer("ranking", (0, 2_000), (2_000, 5_000))
    places = [assigned(one, user) for user in USERS]
    assert places == [assigned(one, user) for user in USERS]
    shares = {
        name: sum(p is not None and p.experiment == name for p in places) / len(USERS)
        for name in ("ranking-0", "ranking-1")
    }
    # Five standard errors of a share over 20,000 users are at most 0.018.
    assert shares["ranking-0"] == pytest.approx(0.2, abs=0.018)
    assert shares["ranking-1"] == pytest.approx(0.3, abs=0.018)
    inside = [p for p in places if p is not None]
    control = sum(p.arm == "control" for p in inside)
    assert is_sound([control, len(inside) - control], [0.5, 0.5])


def test_layers_cross_each_other_evenly() -> None:
    both = [layer("ranking", (0, 10_000)), layer("design", (0, 10_000))]
    cells = {(a, b): 0 for a in ("control", "new") for b in ("control", "new")}
    for user in USERS:
        found = assignments(both, user)
        cells[found["ranking"].arm, found["design"].arm] += 1
    assert sample_ratio_p(list(cells.values()), [0.25] * 4) > 1e-6


def test_an_arm_that_grows_at_the_cost_of_the_last_moves_nobody_else() -> None:
    small = Experiment("x", 0, 10_000, (Arm("new", 0.05), Arm("control", 0.95)))
    large = Experiment("x", 0, 10_000, (Arm("new", 0.5), Arm("control", 0.5)))
    early = [user for user in USERS if arm_of(small, user).name == "new"]
    assert early
    assert all(arm_of(large, user).name == "new" for user in early)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: layer("x", (0, 600), (500, 900)), "x-0 and x-1 share buckets"),
        (lambda: layer("x", (0, 10_001)), "within 0 and 10000"),
        (lambda: Experiment("y", 0, 10, (Arm("a", 0.5), Arm("a", 0.5))), "names of their own"),
        (lambda: Experiment("y", 0, 10, (Arm("a", 0.5), Arm("b", 0.4))), "add up to 1"),
        (lambda: Experiment("y", 0, 10, (Arm("a", 1.0), Arm("b", 0.0))), "share above 0"),
    ],
)
def test_what_cannot_be_an_experiment_is_refused(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=said):
        make()


def courses(effect: float, runs: int, looks: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return running sums of clicks of both arms, (runs, looks), 100 units an arm and look."""
    rng = np.random.default_rng(seed)
    treatment = rng.binomial(100, 0.05 + effect, (runs, looks)).cumsum(axis=1)
    return treatment, rng.binomial(100, 0.05, (runs, looks)).cumsum(axis=1)


def sums(clicks: float, units: float) -> Sums:
    return Sums(units, clicks, clicks)


def test_looking_all_the_time_finds_no_effect_where_there_is_none() -> None:
    runs, looks, alpha = 400, 100, 0.05
    treatment, control = courses(0.0, runs, looks, 1)
    tau = mixture_deviation(2 * 0.05 * 0.95 / 5_000, alpha)
    excluded, fooled = 0, 0
    for run in range(runs):
        outside = plain = False
        p_value = 1.0
        for at in range(looks):
            units = 100.0 * (at + 1)
            pair = sums(treatment[run, at], units), sums(control[run, at], units)
            found = look(*pair, tau, alpha, p_value)
            p_value = found.p_value
            outside |= not found.interval.contains(0.0)
            variance = pair[0].variance_of_mean + pair[1].variance_of_mean
            plain |= abs(found.difference) > -ndtri(alpha / 2) * math.sqrt(variance)
        assert outside == (p_value < alpha)
        excluded += outside
        fooled += plain
    # At most alpha; five standard errors of a share over 400 runs are 0.054.
    assert excluded / runs <= alpha + 0.054
    assert fooled / runs > 0.25  # what an ordinary 95 % interval does to whoever peeks


def test_the_truth_stays_inside_at_all_looks_and_an_effect_is_found() -> None:
    runs, looks = 200, 150
    treatment, control = courses(0.01, runs, looks, 2)
    tau = mixture_deviation(2 * 0.05 * 0.95 / 5_000)
    covered = found = 0
    for run in range(runs):
        inside, detected = True, False
        for at in range(looks):
            units = 100.0 * (at + 1)
            now = look(sums(treatment[run, at], units), sums(control[run, at], units), tau)
            inside &= now.interval.contains(0.01)
            detected |= now.interval.low > 0.0
        covered += inside
        found += detected
    assert covered / runs >= 0.95 - 0.077  # five standard errors over 200 runs
    assert found / runs > 0.6


def test_sums_of_many_machines_just_add_up_and_few_units_say_nothing() -> None:
    values = np.random.default_rng(3).random(500)
    parts = [Sums(len(p), p.sum(), (p**2).sum()) for p in np.split(values, 5)]
    whole = sum(parts, Sums())
    assert whole.mean == pytest.approx(values.mean())
    assert whole.variance_of_mean == pytest.approx(values.var(ddof=1) / 500)
    early = look(parts[0], Sums(99, 50.0, 30.0), 0.1)
    assert not early.enough
    assert early.p_value == 1.0


def test_uneven_arms_are_noticed_and_even_ones_seldom_accused() -> None:
    rng = np.random.default_rng(4)
    p_values = [
        sample_ratio_p([n, 10_000 - n], [0.5, 0.5]) for n in rng.binomial(10_000, 0.5, 1_000)
    ]
    # The share below 0.05 is 0.05; five standard errors over 1,000 runs are 0.034.
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.035)
    assert not is_sound([50_000, 51_500], [0.5, 0.5])
    assert is_sound([9_050, 950], [0.9, 0.1])
    assert is_sound([0, 0], [0.5, 0.5])


def test_what_was_known_before_takes_noise_away_and_leaves_the_effect() -> None:
    rng = np.random.default_rng(5)
    plain, calm = [], []
    for _ in range(200):
        before = rng.normal(0.0, 1.0, 600)
        treated = rng.random(600) < 0.5
        values = 0.8 * before + rng.normal(0.0, 0.6, 600) + 0.1 * treated
        found = adjusted(values, before)
        plain.append(values[treated].mean() - values[~treated].mean())
        calm.append(found.values[treated].mean() - found.values[~treated].mean())
        assert 0.25 < found.variance_left < 0.5  # 1 - 0.8^2
    error = np.std(calm, ddof=1) / math.sqrt(200)
    assert abs(np.mean(calm) - 0.1) < 5.0 * error
    assert np.var(calm) < 0.6 * np.var(plain)
    assert adjusted(np.ones(3), np.zeros(3)).variance_left == 1.0


RANKING = st.lists(st.sampled_from("abcdefghij"), unique=True)


@given(RANKING, RANKING, st.integers(0, 12), st.integers(0, 99))
def test_a_draft_repeats_nothing_and_is_as_long_as_it_can_be(
    a: list[str], b: list[str], n: int, seed: int
) -> None:
    picks = team_draft(a, b, n, random.Random(seed))
    items = [pick.item_id for pick in picks]
    assert len(items) == len(set(items)) == min(n, len({*a, *b}))
    if min(len(a), len(b)) >= n:
        teams = [pick.team for pick in picks]
        assert abs(teams.count("a") - teams.count("b")) <= 1


def test_equal_rankings_draw_and_the_better_one_wins() -> None:
    rng = random.Random(6)
    best, worst = list("abcdefgh"), list("hgfedcba")
    for other, low, high in ((best, -0.12, 0.12), (worst, 0.12, 9.0)):
        scores = []
        for _ in range(2_000):
            picks = team_draft(best, other, 4, rng)
            clicked = {p.item_id for p in picks if rng.random() < 0.5 * (p.item_id in "abc")}
            scores.append(points(picks, clicked))
        # Five standard errors of a mean of points over 2,000 slates are at most 0.12.
        assert low < np.mean(scores) < high


def test_points_count_only_what_was_clicked() -> None:
    assert points([Pick("x", "a"), Pick("y", "b")], set()) == 0
    assert points([Pick("x", "a"), Pick("y", "b")], {"y", "elsewhere"}) == -1
