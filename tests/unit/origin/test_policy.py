"""Priors are fitted when there is data, exploration is steered, versions mean changes."""

import random

import pytest

from attune.consent import Consent
from attune.context import Context
from attune.contract.event import Impression, ShownItem
from attune.contract.item import Item
from attune.embedding import EmbeddingRule
from attune.exploration import ExplorationTarget
from attune.posterior import DEFAULT_PRIOR
from origin.policy import PolicyKeeper, fitted_priors, realised_exploration
from origin.storage.memory import MemoryStore
from origin.storage.port import RewardCount

NOW_MS = 1_700_000_000_000


def counts(rate: float, arms: int, impressions: int, category: str) -> list[RewardCount]:
    dice = random.Random(4)
    return [
        RewardCount(
            f"{category}-{n}",
            "mobile",
            impressions,
            sum(dice.random() < rate for _ in range(impressions)),
            category,
        )
        for n in range(arms)
    ]


def test_few_impressions_leave_the_default_prior() -> None:
    assert fitted_priors([]).overall == DEFAULT_PRIOR
    assert fitted_priors(counts(0.3, 10, 1000, "a")).overall == DEFAULT_PRIOR
    assert fitted_priors(counts(0.3, 30, 5, "a")).overall == DEFAULT_PRIOR


def test_many_impressions_give_each_category_its_own_prior() -> None:
    priors = fitted_priors(counts(0.02, 40, 500, "slow") + counts(0.12, 40, 500, "fast"))
    # 20,000 impressions a category: the standard error of a mean is below 0.0023.
    assert priors.by_category["slow"].mean == pytest.approx(0.02, abs=0.012)
    assert priors.by_category["fast"].mean == pytest.approx(0.12, abs=0.012)
    assert priors.overall.mean == pytest.approx(0.07, abs=0.012)
    assert priors.belief("unknown", None) == priors.overall


def impression(slate_id: str, at_ms: int, *propensities: float) -> Impression:
    items = tuple(ShownItem(f"i{n}", n, p) for n, p in enumerate(propensities))
    return Impression(
        f"e{slate_id}", Consent.COHORT, None, "s", slate_id, items, at_ms, "home", Context(), 1, "m"
    )


@pytest.mark.parametrize("greedy", [0.6, 0.85, 0.95])
def test_the_exploration_of_a_policy_is_read_from_its_propensities(greedy: float) -> None:
    dice = random.Random(8)
    others = (1.0 - greedy) / 7
    drawn = [greedy if dice.random() < greedy else others for _ in range(20_000)]
    rates = realised_exploration(impression("a", 0, *drawn))
    # The root of g squared plus seven small squares is above g by at most 0.04 here.
    assert rates == pytest.approx(1.0 - greedy, abs=0.04)


def keeper(store: MemoryStore) -> PolicyKeeper:
    return PolicyKeeper(store, EmbeddingRule(), ExplorationTarget(), age_max_ms=0)


async def test_a_version_changes_when_the_posteriors_do_and_only_then() -> None:
    store = MemoryStore()
    await store.put_items([Item("a", "A")], NOW_MS)
    kept = keeper(store)
    first = await kept.current(NOW_MS)
    assert (await kept.current(NOW_MS + 1)).snapshot.version == first.snapshot.version
    async with store.transaction() as transaction:
        await transaction.add_rewards([RewardCount("a", "mobile", 9, 1)])
    second = await kept.current(NOW_MS + 2)
    assert second.snapshot.version > first.snapshot.version
    prior = second.snapshot.prior
    assert second.snapshot.posteriors["mobile"]["a"] == (prior[0] + 1, prior[1] + 8)


async def test_impressions_that_explore_too_much_lower_epsilon_once() -> None:
    store = MemoryStore()
    kept = keeper(store)
    before = (await kept.current(NOW_MS)).snapshot.epsilon
    async with store.transaction() as transaction:
        await transaction.add_impressions(
            [impression(str(n), NOW_MS + n, 0.2, 0.3) for n in range(1, 50)], NOW_MS
        )
    after = (await kept.current(NOW_MS + 100)).snapshot.epsilon
    assert after < before
    assert kept.exploration.slates == 49
    await kept.current(NOW_MS + 200)
    assert kept.exploration.slates == 49
