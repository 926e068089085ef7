"""This PoP's rewards count at once, and never twice."""

import random
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.consent import Consent
from attune.context import Context
from attune.contract.event import Action, Impression, Interaction, ShownItem
from attune.contract.policy import PolicySnapshot
from attune.reward import REWARDS
from edge_worker.local_rewards import PENDING_MS, LocalRewards, effects
from edge_worker.policy_cache import PolicyCache

NOW_MS = 1_700_000_000_000
PRIOR = (1.0, 19.0)
SLATE = ("a", "b")
PHONE = Context(device="mobile")


def seen(slate_id: str) -> Impression:
    shown = tuple(ShownItem(item_id, place, 0.5) for place, item_id in enumerate(SLATE))
    return Impression(
        f"seen-{slate_id}", Consent.FULL, "u1", "s1", slate_id, shown, NOW_MS, "home", PHONE, 1, "m"
    )


def did(slate_id: str, item_id: str, action: Action) -> Interaction:
    return Interaction(
        f"{slate_id}-{item_id}-{action}", Consent.FULL, "u1", "s1", item_id, action, NOW_MS,
        "home", PHONE, slate_id,
    )  # fmt: skip


class Log:
    """A log of one partition, and a stream processor that counts it exactly."""

    def __init__(self) -> None:
        self.events: list[Impression | Interaction] = []

    def append(self, batch: list[Impression | Interaction]) -> Mapping[int, int]:
        self.events += batch
        return {0: len(self.events) - 1}

    def counted(self, until: int) -> dict[str, tuple[float, float]]:
        """Return {item: (impressions, reward)} of the log's first events."""
        counts: dict[str, list[float]] = {}
        slates: set[str] = set()
        earned: dict[tuple[str, str], float] = {}
        for event in self.events[:until]:
            if isinstance(event, Impression):
                if event.slate_id not in slates:
                    slates.add(event.slate_id)
                    for item in event.items:
                        counts.setdefault(item.item_id, [0.0, 0.0])[0] += 1.0
            else:
                key = str(event.slate_id), event.item_id
                before = earned.get(key, 0.0)
                earned[key] = max(before, REWARDS[event.action])
                counts.setdefault(event.item_id, [0.0, 0.0])[1] += earned[key] - before
        return {item_id: (shown, reward) for item_id, (shown, reward) in counts.items()}

    def snapshot(self, until: int) -> PolicySnapshot:
        posteriors = {
            item_id: (PRIOR[0] + reward, PRIOR[1] + shown - reward)
            for item_id, (shown, reward) in self.counted(until).items()
        }
        return PolicySnapshot(
            version=until + 1,
            created_at_ms=NOW_MS,
            prior=PRIOR,
            posteriors=MappingProxyType({"mobile": MappingProxyType(posteriors)}),
            covers=MappingProxyType({0: until}),
        )


ACTIONS: tuple[Action, ...] = ("view", "click", "cart", "purchase", "dismiss")
BATCHES = st.lists(
    st.tuples(st.sampled_from(("x", "y")), st.sampled_from(SLATE), st.sampled_from(ACTIONS)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.one_of(BATCHES, st.floats(0, 1)), min_size=1, max_size=12))
def test_snapshot_and_own_rewards_make_the_whole_log_whatever_comes_first(
    steps: list[list[tuple[str, str, Action]] | float],
) -> None:
    log, cache = Log(), PolicyCache()
    cache.accept(log.snapshot(0), '"0"', NOW_MS)
    covered = 0
    for step in steps:
        if isinstance(step, float):
            # A snapshot of any moment since the last one: batches may be covered in part.
            covered += round(step * (len(log.events) - covered))
            cache.accept(log.snapshot(covered), f'"{covered}"', NOW_MS)
        else:
            batch = [
                each for slate, item, act in step for each in (seen(slate), did(slate, item, act))
            ]
            cache.learn(effects(batch), log.append(batch), NOW_MS)
        whole = log.snapshot(len(log.events)).posteriors["mobile"]
        ours = cache.policy.posteriors.get("mobile", {})
        assert {item_id: pytest.approx(both) for item_id, both in whole.items()} == dict(ours)


def test_a_batch_of_several_partitions_counts_until_one_may_be_covered() -> None:
    cache = PolicyCache()
    cache.accept(Log().snapshot(0), '"0"', NOW_MS)
    batch = [seen("x"), did("x", "a", "click")]
    cache.learn(effects(batch), {0: 10, 4: 7}, NOW_MS)
    assert cache.policy.posteriors["mobile"]["a"] == (PRIOR[0] + 0.5, PRIOR[1] + 0.5)
    for covers, pending in (({0: 9, 4: 6}, 2), ({0: 9, 4: 7}, 0)):
        snapshot = PolicySnapshot(2, NOW_MS, covers=MappingProxyType(covers))
        cache.accept(snapshot, '"1"', NOW_MS)
        assert len(cache.rewards) == pending


def test_what_was_only_spilled_or_is_too_old_does_not_count() -> None:
    rewards = LocalRewards()
    assert rewards.acknowledged(effects([seen("x")]), {}, NOW_MS) == []
    assert len(rewards.acknowledged(effects([seen("x")]), {0: 1}, NOW_MS)) == len(SLATE)
    assert not rewards.settle({}, NOW_MS + PENDING_MS - 1)
    assert rewards.settle({}, NOW_MS + PENDING_MS)
    assert list(rewards.deltas()) == []


def test_a_bucket_that_rewards_changed_is_another_value() -> None:
    cache, log = PolicyCache(), Log()
    log.append([seen("x")])
    cache.accept(log.snapshot(1), '"1"', NOW_MS)
    values = [cache.policy.posteriors["mobile"]]
    for number in range(3):
        batch = [did(f"slate-{number}", "a", random.Random(number).choice(ACTIONS[:4]))]
        cache.learn(effects(batch), log.append([*batch]), NOW_MS)
        values.append(cache.policy.posteriors["mobile"])
    assert len({id(value) for value in values}) == len(values)
    assert cache.policy.version == 2
