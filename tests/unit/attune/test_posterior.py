"""Posteriors fold in any order, and fitted priors find the rates they were made from."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.posterior import DEFAULT_PRIOR, Beta, Counts, category_priors, fitted_prior, posterior


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 5)), min_size=1, max_size=10))
def test_counts_fold_in_any_order(deltas: list[tuple[int, int]]) -> None:
    def folded(parts: list[tuple[int, int]]) -> Beta:
        return posterior(DEFAULT_PRIOR, Counts(sum(n for n, _ in parts), sum(r for _, r in parts)))

    assert folded(deltas) == folded(deltas[::-1])


def test_reward_above_one_per_impression_is_cut_off() -> None:
    assert posterior(Beta(1, 19), Counts(2, 5)) == Beta(3, 19)


def test_a_fitted_prior_finds_the_mean_and_spread_of_the_true_rates() -> None:
    rng = random.Random(11)
    arms = []
    for _ in range(400):
        rate = rng.betavariate(4, 76)
        arms.append(Counts(500, sum(rng.random() < rate for _ in range(500))))
    prior = fitted_prior(arms)
    # Mean 0.05 with a standard error of 0.0013; strength 80, its estimate within a factor of 1.5.
    assert prior.mean == pytest.approx(0.05, abs=0.0065)
    assert 80 / 1.5 < prior.alpha + prior.beta < 80 * 1.5


def test_no_data_leaves_the_default_prior() -> None:
    assert fitted_prior([]) == DEFAULT_PRIOR
    assert fitted_prior([Counts(10, 0), Counts(10, 0)]) == DEFAULT_PRIOR


def test_a_category_with_little_data_stays_near_the_crowd() -> None:
    overall = Beta(2, 38)
    priors = category_priors({"rare": [Counts(1, 1)], "big": [Counts(10_000, 2_000)]}, overall)
    assert abs(priors["rare"].mean - overall.mean) < 0.03
    assert priors["big"].mean == pytest.approx(0.2, abs=0.01)
