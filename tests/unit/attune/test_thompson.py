"""Probability matching agrees with real Thompson draws, and its propensities are exact."""

import math
import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from attune.posterior import Beta
from attune.thompson import Arm, beta_cdf, drawn, matching_probabilities

ARMS = st.lists(
    st.builds(
        Arm,
        st.floats(0.0, 0.05),
        st.builds(Beta, st.floats(1.0, 200.0), st.floats(1.0, 2000.0)),
    ),
    min_size=1,
    max_size=8,
)


@given(ARMS, st.floats(0.0, 1.0))
def test_probabilities_are_a_distribution(arms: list[Arm], weight: float) -> None:
    probabilities = matching_probabilities(arms, weight)
    assert math.isclose(math.fsum(probabilities), 1.0, rel_tol=1e-9)
    assert all(0.0 <= probability <= 1.0 for probability in probabilities)


def test_matching_agrees_with_a_hundred_thousand_real_thompson_draws() -> None:
    rng = random.Random(3)
    draws = 100_000
    for _ in range(3):
        arms = [
            Arm(rng.uniform(0, 0.02), Beta(rng.uniform(1, 30), rng.uniform(20, 400)))
            for _ in range(5)
        ]
        wins = [0] * len(arms)
        for _ in range(draws):
            scores = [
                arm.center + 0.5 * rng.betavariate(arm.belief.alpha, arm.belief.beta)
                for arm in arms
            ]
            wins[scores.index(max(scores))] += 1
        # Quadrature and CDF are within 0.004; five standard errors of a frequency are 0.008.
        for won, probability in zip(wins, matching_probabilities(arms, 0.5), strict=True):
            assert abs(won / draws - probability) < 0.012


def test_the_cdf_agrees_with_counted_binomials() -> None:
    # P(Beta(a, b) <= x) = P(Binomial(a + b - 1, x) >= a) for whole a and b.
    for a, b in ((1, 1), (1, 19), (3, 7), (20, 5), (40, 400)):
        n = a + b - 1
        for x in (0.01, 0.05, 0.2, 0.5, 0.9):
            exact = math.fsum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
            assert abs(beta_cdf(x, float(a), float(b)) - exact) < 0.005


@given(st.floats(1.0, 500.0), st.floats(1.0, 5000.0))
def test_the_cdf_never_falls(alpha: float, beta: float) -> None:
    values = [beta_cdf(k / 200, alpha, beta) for k in range(201)]
    assert values[0] == 0.0
    assert values[-1] == 1.0
    assert all(a <= b + 1e-9 for a, b in pairwise(values))


def test_a_draw_follows_the_distribution() -> None:
    rng = random.Random(5)
    probabilities = [0.5, 0.0, 0.3, 0.2]
    counts = [0, 0, 0, 0]
    for _ in range(20_000):
        counts[drawn(probabilities, rng.random())] += 1
    assert counts[1] == 0
    # Five standard errors of a frequency near one half are 0.018.
    assert all(abs(c / 20_000 - p) < 0.018 for c, p in zip(counts, probabilities, strict=True))
