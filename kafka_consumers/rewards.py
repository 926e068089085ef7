"""The rewards processor: joins what users did to the slates that they were shown.

An impression counts once for each of its items, in the bandit bucket of the slate's context. An
item of a slate earns the best of what was done with it (``attune.reward``). The two may arrive in
either order: what is earned by a slate that is not known yet waits, and counts as soon as the
impression is there. A slate that never was shown earns nothing. A slate's events share a partition,
so that no two processes join the same slate at once; only a visitor who changes the consent between
seeing and clicking parts them, and at worst that reward is not counted.
"""

from collections.abc import Iterable, Mapping

from attune.context import bandit_bucket
from attune.contract.event import Impression, Interaction
from attune.reward import raised_reward
from kafka_consumers.batch import Batch
from origin.storage.port import EarnedReward, LearningTransaction, RewardCount


class Rewards:
    """The processor of impressions and of what they earned."""

    async def process(self, batch: Batch, transaction: LearningTransaction) -> None:
        """Keep the batch's impressions, add the rewards that can be joined."""
        slate_ids = sorted({event.slate_id for event in batch.events if event.slate_id is not None})
        if not slate_ids:
            return
        join = RewardJoin(
            await transaction.impressions(slate_ids),
            await transaction.earned_rewards(slate_ids),
            batch.now_ms,
        )
        for event in batch.events:
            join.add(event)
        await transaction.add_impressions(list(batch.impressions))
        await transaction.put_earned_rewards(join.raised())
        await transaction.add_rewards(join.deltas())


class RewardJoin:
    """Folds events into deltas of posteriors, given what is known of their slates."""

    def __init__(
        self,
        shown: Mapping[str, Impression],
        earned: Iterable[EarnedReward] = (),
        now_ms: int = 0,
    ) -> None:
        self._now_ms = now_ms
        self._shown = dict(shown)
        self._earned = {(entry.slate_id, entry.item_id): entry for entry in earned}
        self._raised: dict[tuple[str, str], EarnedReward] = {}
        self._deltas: dict[tuple[str, str], RewardCount] = {}

    def add(self, event: Impression | Interaction) -> None:
        """Take in one event."""
        if isinstance(event, Impression):
            self._add_impression(event)
        elif event.slate_id is not None:
            self._add_reward(event, event.slate_id)

    def deltas(self) -> list[RewardCount]:
        """Return what the events add to the counts of items in buckets."""
        return list(self._deltas.values())

    def raised(self) -> list[EarnedReward]:
        """Return what items of slates have earned now, where that is more than before."""
        return list(self._raised.values())

    def _add_impression(self, event: Impression) -> None:
        if event.slate_id in self._shown:
            return
        self._shown[event.slate_id] = event
        for item_id in _item_ids(event):
            waiting = self._earned.get((event.slate_id, item_id))
            self._count(event, item_id, 1.0, waiting.reward if waiting is not None else 0.0)

    def _add_reward(self, event: Interaction, slate_id: str) -> None:
        key = slate_id, event.item_id
        known = self._earned.get(key)
        before = known.reward if known is not None else 0.0
        after = raised_reward(before, event.action)
        if after == before:
            return
        self._earned[key] = self._raised[key] = EarnedReward(*key, after, self._now_ms)
        shown = self._shown.get(slate_id)
        if shown is not None and event.item_id in _item_ids(shown):
            self._count(shown, event.item_id, 0.0, after - before)

    def _count(self, shown: Impression, item_id: str, impressions: float, reward: float) -> None:
        key = item_id, bandit_bucket(shown.context)
        known = self._deltas.get(key, RewardCount(*key, 0.0, 0.0))
        self._deltas[key] = RewardCount(
            *key, known.impressions + impressions, known.reward + reward
        )


def _item_ids(shown: Impression) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.item_id for item in shown.items))
