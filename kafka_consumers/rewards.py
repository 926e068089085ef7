"""The rewards processor: joins what users did to the slates that they were shown.

A showing counts at once, as a trial of its item in the bandit bucket of the slate's context, and so
does what is done with it: a click moves the posterior with the batch that brings it. A showing
that is ignored keeps the default reward, 0. An item of a slate earns the best of what was done with
it within the window after the slate was seen (``attune.reward``); how much an ignored showing
counts depends on its position (``attune.examination``).

The two may arrive in either order, late or twice: whatever names a slate is kept, and is joined as
soon as both are there. Only the times at which things happened decide, not those at which they
arrived, so every order of arrival ends in the same counts. A slate's events share a partition, so
that no two processes join the same slate at once; only a visitor who changes the consent between
seeing and clicking parts them, and at worst that reward is not counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from attune.context import bandit_bucket
from attune.contract.event import Impression, Interaction, ShownItem
from attune.examination import Examination
from attune.reward import REWARDS, WINDOW_MS, in_window
from kafka_consumers.batch import Batch
from kafka_consumers.closing import outbox_entries, outcomes
from origin.storage.outcomes import KeptInteraction, ShownSlate
from origin.storage.port import LearningTransaction, RewardCount


@dataclass(slots=True)
class Rewards:
    """The processor of impressions and of what they earned.

    ``examination`` is replaced as it is fitted anew (``kafka_consumers.examination``).
    """

    window_ms: int = WINDOW_MS
    examination: Examination = field(default_factory=Examination)

    async def process(self, batch: Batch, transaction: LearningTransaction) -> None:
        """Keep the batch's impressions and interactions, add the rewards that can be joined."""
        kept = kept_interactions(batch.interactions)
        slate_ids = sorted({event.slate_id for event in batch.events if event.slate_id is not None})
        if slate_ids:
            join = RewardJoin(
                await transaction.shown_slates(slate_ids),
                await transaction.interactions_with(slate_ids),
                self.window_ms,
                self.examination,
            )
            new = [shown for shown in batch.impressions if join.show(shown)]
            for one in kept:
                join.act(one)
            if new:
                await transaction.add_impressions(new, batch.now_ms + self.window_ms)
            if deltas := join.deltas():
                await transaction.add_rewards(deltas)
            if late := [one for slate in join.late() for one in outcomes(*slate, batch.now_ms)]:
                await transaction.add_outbox(outbox_entries(late))
        if kept:
            await transaction.add_interactions(kept, batch.now_ms)

    def forget(self) -> None:
        """Do nothing: nothing is remembered."""


def kept_interactions(interactions: Iterable[Interaction]) -> list[KeptInteraction]:
    """Return those that a sequence or a reward can be made of: with a user or a slate."""
    return [
        KeptInteraction(
            event.user_id, event.slate_id, event.item_id, event.action, event.occurred_at_ms
        )
        for event in interactions
        if event.user_id is not None or event.slate_id is not None
    ]


class RewardJoin:
    """Folds events into deltas of posteriors, given what is known of their slates.

    A batch's impressions are taken in before its interactions: the order does not matter, but so
    each slate is complete when it is looked at.
    """

    def __init__(
        self,
        shown: Mapping[str, ShownSlate],
        known: Sequence[KeptInteraction] = (),
        window_ms: int = WINDOW_MS,
        examination: Examination | None = None,
    ) -> None:
        self._window_ms = window_ms
        self._examination = examination or Examination()
        self._slates = dict(shown)
        self._waiting: dict[str, list[KeptInteraction]] = {}
        self._earned: dict[tuple[str, str], float] = {}
        self._deltas: dict[tuple[str, str], list[float]] = {}
        self._late: dict[str, set[str]] = {}
        for one in known:
            if one.slate_id in self._slates:
                self._earn(one)
            elif one.slate_id is not None:
                self._waiting.setdefault(one.slate_id, []).append(one)

    def show(self, event: Impression) -> bool:
        """Take in an impression; return whether it is the first of its slate."""
        if event.slate_id in self._slates:
            return False
        slate = ShownSlate(
            event.slate_id, bandit_bucket(event.context), event.occurred_at_ms, event.items
        )
        self._slates[event.slate_id] = slate
        for item in first_places(slate.items):
            self._count(slate, item, self._examination.trial(item.position), 0.0)
        for one in self._waiting.pop(event.slate_id, ()):
            self.act(one)
        return True

    def act(self, event: KeptInteraction) -> None:
        """Take in an interaction."""
        slate = self._slates.get(event.slate_id or "")
        if slate is None:
            return
        item = next((item for item in slate.items if item.item_id == event.item_id), None)
        if item is None:
            return
        before, after = self._earn(event)
        if after is None or before == after:
            return
        if before is None:
            # Whoever acts on an item has looked at it: the showing counts in full.
            self._count(slate, item, 1.0 - self._examination.trial(item.position), 0.0)
        self._count(slate, item, 0.0, after - (before or 0.0))
        if not slate.is_open and after > (before or 0.0):
            self._late.setdefault(slate.slate_id, set()).add(item.item_id)

    def deltas(self) -> list[RewardCount]:
        """Return what the events add to the counts of items in buckets."""
        return [
            RewardCount(*key, trials, reward)
            for key, (trials, reward) in self._deltas.items()
            if trials or reward
        ]

    def late(self) -> list[tuple[ShownSlate, dict[str, float]]]:
        """Return slates that earned after they were closed, with what those items earned."""
        return [
            (self._slates[slate_id], {name: self._earned[slate_id, name] for name in item_ids})
            for slate_id, item_ids in self._late.items()
        ]

    def _earn(self, event: KeptInteraction) -> tuple[float | None, float | None]:
        """Return what the item had earned before the interaction, and what after it."""
        assert event.slate_id is not None, "only what names a slate earns"
        key = event.slate_id, event.item_id
        before = self._earned.get(key)
        if not in_window(
            self._slates[event.slate_id].shown_at_ms, event.occurred_at_ms, self._window_ms
        ):
            return before, before
        after = max(before or 0.0, REWARDS[event.action])
        self._earned[key] = after
        return before, after

    def _count(self, slate: ShownSlate, item: ShownItem, trials: float, reward: float) -> None:
        sums = self._deltas.setdefault((item.item_id, slate.bucket), [0.0, 0.0])
        sums[0] += trials
        sums[1] += reward


def first_places(items: Iterable[ShownItem]) -> list[ShownItem]:
    """Return each item of a slate once, at its first position."""
    return list({item.item_id: item for item in reversed(tuple(items))}.values())[::-1]
