"""Slates: greedy without exploration, reproducible with it, honest about propensities."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from attune.beliefs import Beliefs
from attune.diversity import Similarities
from attune.exploration import ExplorationTarget, initial_state, observed
from attune.slate import Pool, Rules, assembled, exploration_rate


@dataclass
class Option:
    """One candidate."""

    base: float
    posterior: tuple[float, float]
    code: list[int]
    exposures: int = 0


def pool(options: Sequence[Option]) -> Pool:
    return Pool(
        eligible=range(len(options)),
        bases=[option.base for option in options],
        beliefs=Beliefs([option.posterior for option in options]),
        similarities=Similarities([option.code for option in options]),
        exposures=[option.exposures for option in options],
    )


def options(count: int, seed: int = 1) -> Pool:
    rng = random.Random(seed)
    return pool(
        [
            Option(
                base=rng.random(),
                posterior=(1 + rng.randrange(5), 20 + rng.randrange(80)),
                code=[rng.randrange(-127, 128) for _ in range(64)],
                exposures=rng.randrange(3),
            )
            for _ in range(count)
        ]
    )


@given(st.integers(0, 60), st.integers(1, 20), st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_a_slate_never_repeats_and_is_as_long_as_it_can_be(
    count: int, n: int, epsilon: float, diversity: float, seed: int
) -> None:
    choices = assembled(options(count), n, Rules(epsilon, diversity, 0.9), seed)
    indices = [choice.place for choice in choices]
    assert len(indices) == len(set(indices)) == min(n, count)
    assert all(0.0 < choice.propensity <= 1.0 for choice in choices)


def test_the_same_seed_gives_the_same_slate() -> None:
    rules = Rules(0.3, 0.2, 0.9)
    assert assembled(options(80), 12, rules, 5) == assembled(options(80), 12, rules, 5)


def test_without_sampling_the_order_is_that_of_the_scores() -> None:
    choices = assembled(options(40), 10, Rules(0.0, 0.0, 1.0), 1)
    bases = options(40).bases
    by_base = sorted(range(40), key=lambda index: -bases[index])
    assert [choice.place for choice in choices] == by_base[:10]
    assert all(choice.propensity == 1.0 and not choice.explored for choice in choices)


def test_logged_propensities_are_the_frequencies_of_the_first_position() -> None:
    arms = options(20)
    rules = Rules(0.7, 0.0, 0.9)
    slates = [assembled(arms, 1, rules, seed)[0] for seed in range(4000)]
    frequency = Counter(choice.place for choice in slates)
    for choice in {choice.place: choice for choice in slates}.values():
        # Five standard errors of a frequency from 4000 draws are at most 0.04.
        assert abs(frequency[choice.place] / 4000 - choice.propensity) < 0.04


def test_no_slate_explores_more_than_it_may_and_propensities_say_so() -> None:
    flat = pool([Option(0.5, (1, 19), [i + 1] * 64) for i in range(30)])
    rules = Rules(0.9, 0.0, 1.0, exploration_max=0.15)
    slates = [assembled(flat, 12, rules, seed) for seed in range(50)]
    for slate in slates:
        assert exploration_rate(slate) <= 0.15 + 1e-12
        assert all(c.propensity >= 0.85 - 1e-12 or c.propensity <= 0.15 for c in slate)
    explored = sum(choice.explored for slate in slates for choice in slate) / 600
    # 600 draws at 0.15: five standard errors are 0.073.
    assert abs(explored - 0.15) < 0.073


def test_impressions_push_an_item_down() -> None:
    plain = [Option(0.50, (1, 19), [1] * 64), Option(0.45, (1, 19), [2] * 64)]
    shown = [Option(0.50, (1, 19), [1] * 64, exposures=3), plain[1]]
    rules = Rules(0.0, 0.0, 0.9)
    assert assembled(pool(plain), 2, rules, 1)[0].place == 0
    assert assembled(pool(shown), 2, rules, 1)[0].place == 1


def test_diversity_breaks_up_near_duplicates() -> None:
    twins = [
        Option(0.9, (1, 19), [127, 0]),
        Option(0.8, (1, 19), [127, 1]),
        Option(0.7, (1, 19), [0, 127]),
    ]
    assert [c.place for c in assembled(pool(twins), 3, Rules(0.0, 0.0, 1.0), 1)] == [0, 1, 2]
    assert [c.place for c in assembled(pool(twins), 3, Rules(0.0, 0.4, 1.0), 1)] == [0, 2, 1]


def test_the_controller_brings_the_realised_rate_into_its_band_from_either_side() -> None:
    target = ExplorationTarget(0.05, 0.15)
    for start in (0.01, 0.9):
        state = initial_state(start, target)
        rates = []
        for slate in range(400):
            choices = assembled(options(60, seed=slate), 12, Rules(state.epsilon, 0.1, 0.9), slate)
            rates.append(exploration_rate(choices))
            state = observed(state, rates[-1], target)
        late = rates[200:]
        assert target.low < sum(late) / len(late) < target.high
