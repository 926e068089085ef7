"""Bandits: honest propensities, bounded memory, batches, drift - and less regret than others."""

import json
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from click.testing import CliRunner

from attune.posterior import Counts, fitted_prior
from origin.bandits.empirical_prior import fitted, group_means
from origin.bandits.horizon_index import HorizonIndex, indices
from origin.bandits.linear import DisjointLinUcb, SharedLinUcb
from origin.bandits.logistic import FLOOR, LogisticThompson
from origin.bandits.port import Bandit, Uniform, WithFloor
from origin.bandits.rates import Rates
from origin.bandits.simple import BetaThompson, Greedy, Ucb1, matching_probabilities
from origin.bench.bandit import ENVIRONMENTS, Job, bandit_of, lead, methods_of, run_job
from origin.commands import main

ARMS, DIMENSION = 6, 4

BANDITS: dict[str, Callable[[], Bandit]] = {
    "uniform": lambda: Uniform(ARMS),
    "greedy": lambda: Greedy(Rates(ARMS)),
    "epsilon_greedy": lambda: WithFloor(Greedy(Rates(ARMS)), ARMS, 0.2),
    "ucb1": lambda: Ucb1(ARMS),
    "thompson": lambda: BetaThompson(Rates(ARMS)),
    "horizon_index": lambda: HorizonIndex(Rates(ARMS)),
    "shared_linucb": lambda: SharedLinUcb(DIMENSION),
    "disjoint_linucb": lambda: DisjointLinUcb(ARMS, DIMENSION),
    "logistic_thompson": lambda: LogisticThompson(DIMENSION),
}
RANDOMISED = ("uniform", "epsilon_greedy", "thompson", "logistic_thompson")


def features() -> np.ndarray:
    return np.random.default_rng(9).standard_normal((ARMS, DIMENSION))


def taught(name: str, rounds: int = 60) -> Bandit:
    rng, bandit = np.random.default_rng(3), BANDITS[name]()
    for _ in range(rounds):
        arm = bandit.draw(features(), rng)
        reward = float(rng.random() < 0.1 + 0.05 * arm)
        bandit.learn(np.array([arm]), np.array([reward]), features()[[arm]])
    return bandit


@pytest.mark.parametrize("name", RANDOMISED)
def test_propensities_are_the_frequencies_of_the_choices(name: str) -> None:
    bandit, rng, count = taught(name), np.random.default_rng(1), 2_000
    choices = [bandit.choose(features(), rng) for _ in range(count)]
    frequency = np.bincount([choice.arm for choice in choices], minlength=ARMS) / count
    # By importance: 1 / propensity of the chosen arm has the mean 1 for each arm with support.
    for arm in range(ARMS):
        weights = np.array([1.0 / c.propensity if c.arm == arm else 0.0 for c in choices])
        if frequency[arm] > 0.02:  # below it, a mean of rare large weights is not normal
            assert abs(weights.mean() - 1.0) < 5.0 * weights.std() / np.sqrt(count)
    drawn = np.bincount([bandit.draw(features(), rng) for _ in range(count)], minlength=ARMS)
    # Five standard errors of the difference of two frequencies, and what a floor adds.
    assert abs(frequency - drawn / count).max() < 5.0 * np.sqrt(0.5 / count) + FLOOR


@pytest.mark.parametrize("name", sorted(BANDITS))
def test_the_same_dice_give_the_same_choices(name: str) -> None:
    first, second = (
        [bandit.choose(features(), rng) for _ in range(20)]
        for bandit, rng in ((taught(name), np.random.default_rng(5)) for _ in range(2))
    )
    assert first == second
    assert all(0.0 < choice.propensity <= 1.0 for choice in first)


@pytest.mark.parametrize("name", sorted(BANDITS))
def test_memory_does_not_grow_with_what_is_learned(name: str) -> None:
    few, many = (len(pickle.dumps(taught(name, rounds))) for rounds in (40, 1_500))
    assert many < few + 200


@pytest.mark.parametrize("name", ["greedy", "thompson", "shared_linucb", "disjoint_linucb"])
def test_a_batch_teaches_what_its_rewards_would_one_by_one(name: str) -> None:
    rng = np.random.default_rng(2)
    arms = rng.integers(0, ARMS, 40)
    rewards = (rng.random(40) < 0.3).astype(np.float64)
    one_by_one, at_once = BANDITS[name](), BANDITS[name]()
    for arm, reward in zip(arms, rewards, strict=True):
        one_by_one.learn(np.array([arm]), np.array([reward]), features()[[arm]])
    at_once.learn(arms, rewards, features()[arms])
    for seed in range(20):
        pair = [b.choose(features(), np.random.default_rng(seed)) for b in (one_by_one, at_once)]
        assert pair[0].arm == pair[1].arm
        assert pair[0].propensity == pytest.approx(pair[1].propensity)


def test_one_observation_moves_the_logistic_weights_as_newton_does() -> None:
    row = features()[[2]]
    fast, slow = LogisticThompson(DIMENSION), LogisticThompson(DIMENSION)
    fast.learn(np.array([0]), np.array([1.0]), row)
    slow.mean = slow._moved(row, np.array([1.0]))
    assert fast.mean == pytest.approx(slow.mean, abs=1e-6)


def test_matching_probabilities_are_those_of_real_draws() -> None:
    rng = np.random.default_rng(4)
    alpha, beta = rng.uniform(1, 30, 40), rng.uniform(50, 300, 40)
    draws = rng.beta(alpha, beta, (60_000, 40)).argmax(axis=1)
    frequency = np.bincount(draws, minlength=40) / 60_000
    # Five standard errors of a frequency of at most a half are 0.0102; the grid adds 0.005.
    assert abs(matching_probabilities(alpha, beta) - frequency).max() < 0.0152


def test_a_prior_fitted_to_what_a_greedy_bandit_chose_is_not_fooled_by_the_choice() -> None:
    rng = np.random.default_rng(6)
    rates = rng.beta(2.0, 50.0, 400)
    bandit = Greedy(Rates(400))
    for _ in range(12_000):
        arm = bandit.draw(None, rng)
        bandit.learn(np.array([arm]), np.array([float(rng.random() < rates[arm])]), None)
    earned, pulls = bandit.rates.rewards, bandit.rates.pulls
    mean, _ = fitted(earned, pulls)
    moments = fitted_prior(Counts(n, r) for n, r in zip(pulls, earned, strict=True))
    assert abs(mean - 2 / 52) < 0.015
    assert moments.mean - 2 / 52 > 0.03  # by moments, the arms that were liked count most


def test_a_category_stands_alone_as_far_as_it_was_seen() -> None:
    groups = np.array([0, 0, 1])
    means = group_means(
        np.array([60.0, 40.0, 0.0]), np.array([500.0, 500.0, 2.0]), groups, 0.05, 20
    )
    assert means[0] == pytest.approx(101 / 1020)
    assert means[1] == pytest.approx(1 / 22)
    rates = Rates(3, groups=groups)
    for arm, reward in ((0, 1.0), (1, 1.0), (2, 0.0)) * 20:
        rates.learn(np.array([arm]), np.array([reward]))
    assert rates.alpha_prior[0] / rates.beta_prior[0] > rates.alpha_prior[2] / rates.beta_prior[2]


def test_pulls_without_a_reward_yet_spread_over_the_arms() -> None:
    rng = np.random.default_rng(1)
    bandit = HorizonIndex(Rates(50))
    waiting = []
    for _ in range(50):
        waiting.append(bandit.draw(None, rng))
        bandit.wait_for(waiting[-1])
    assert len(set(waiting)) == 50
    bandit.learn(np.array(waiting), np.zeros(50), None)
    assert not bandit.rates.pending.any()


def test_a_floor_refuses_a_bandit_whose_probabilities_it_cannot_know() -> None:
    bandit = WithFloor(BetaThompson(Rates(4)), 4, 0.1)
    with pytest.raises(AssertionError, match="not known"):
        bandit.choose(None, np.random.default_rng(0))


def test_an_arm_is_worth_more_the_less_is_known_and_the_longer_it_pays() -> None:
    alpha, beta = np.array([2.0, 20.0, 200.0]), np.array([50.0, 500.0, 5000.0])
    near, far = (indices(alpha, beta, horizon) for horizon in (1_000.0, 100_000.0))
    assert np.all(np.diff(near) < 0.0)
    assert np.all(far > near)
    assert np.all(near > alpha / (alpha + beta))


@pytest.mark.parametrize("make", [HorizonIndex, BetaThompson, Greedy])
def test_with_a_discount_a_change_of_rates_is_noticed(make: Callable[[Rates], Bandit]) -> None:
    rng = np.random.default_rng(7)
    bandit = make(Rates(2, discount=1.0 - 1 / 300))
    late = []
    for pull in range(4_000):
        best = int(pull >= 2_000)
        arm = bandit.draw(None, rng)
        rate = 0.4 if arm == best else 0.1
        bandit.learn(np.array([arm]), np.array([float(rng.random() < rate)]), None)
        late += [arm == best] * (pull >= 3_000)
    assert np.mean(late) > 0.8


def test_a_floor_is_part_of_the_propensity() -> None:
    bandit, rng = WithFloor(Greedy(Rates(4)), 4, 0.2), np.random.default_rng(0)
    bandit.learn(np.array([2] * 30), np.ones(30), None)
    found = {choice.arm: choice for choice in (bandit.choose(None, rng) for _ in range(300))}
    assert set(found) == {0, 1, 2, 3}
    assert found[2].propensity == pytest.approx(0.85)
    assert found[1].propensity == pytest.approx(0.05)


def test_with_many_arms_the_horizon_index_loses_less_than_ucb1() -> None:
    methods = ("horizon_index", "ucb1")
    runs = [run_job(Job("clicks-64", m, seed, 10_000, 1)) for m in methods for seed in range(4)]
    ahead = lead(runs, *methods, 10_000)
    assert ahead is not None
    assert ahead.standard_error is not None
    assert ahead.mean + 5.0 * ahead.standard_error < 0.0


def test_what_is_shared_between_arms_is_learned_from_all_of_them() -> None:
    runs = {
        method: run_job(Job("context-64", method, 0, 2_500, 1)).regret[2_500]
        for method in ("logistic_thompson", "linucb_shared", "thompson_fitted")
    }
    assert runs["logistic_thompson"] < 15.0
    assert runs["linucb_shared"] < 15.0
    assert runs["thompson_fitted"] > 40.0


def test_every_method_of_every_environment_runs_in_batches() -> None:
    for name, environment in ENVIRONMENTS.items():
        for method in methods_of(environment, vowpal=False):
            run = run_job(Job(name, method, 0, 30, 10))
            assert 0.0 <= run.regret[30] <= 100.0
            assert bandit_of(method, environment, 0)[1] in ("none", "features", "context")


def test_the_benchmark_names_its_figures() -> None:
    arguments = ["bench", "bandit", "--environment", "clicks-64", "--pulls", "200", "--seeds", "2"]
    alone = ["--vowpal-seeds", "0", "--processes", "1"]
    result = CliRunner().invoke(main, [*arguments, *alone, "--json"])
    figures = json.loads(result.stdout)["environments"]["clicks-64"]
    assert figures["ours"] == "horizon_index"
    assert figures["ucb1"]["regret_percent"]["200"]["seeds"] == 2
    assert figures["ucb1"]["ours_minus_this"]["200"]["mean"] < 100.0
    assert "horizon index" in CliRunner().invoke(main, [*arguments, *alone]).output
