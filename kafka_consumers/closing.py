"""Closing slates: once they can earn no more, their outcomes go to topic ``rewards``.

The posteriors know everything before that; the topic is for those who judge policies later, and
for them a showing is only worth something with its final reward, the default one included. The
records are written into the outbox by the transaction that closes the slates, and sent from there
(``kafka_consumers.outbox``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from attune.contract.outcome import Outcome, pack_outcome
from attune.reward import REWARDS, WINDOW_MS, in_window
from origin.event_log import REWARDS as REWARDS_TOPIC
from origin.packing import packed
from origin.storage.outcomes import KeptInteraction, OutboxEntry, ShownSlate
from origin.storage.port import LearningStore

SLATES_PER_TRANSACTION = 500
"""Some thousand records; the locks are held for about 50 ms."""


@dataclass(frozen=True, slots=True)
class SlateCloser:
    """Closes slates whose window is over."""

    store: LearningStore
    window_ms: int = WINDOW_MS

    async def run(self, now_ms: int) -> int:
        """Close all that are due, some hundred at a time; return how many."""
        closed = 0
        while True:
            async with self.store.transaction() as transaction:
                slates = await transaction.due_slates(now_ms, SLATES_PER_TRANSACTION)
                slate_ids = sorted(slate.slate_id for slate in slates)
                if slates:
                    acts = await transaction.interactions_with(slate_ids)
                    earned = best_rewards(slates, acts, self.window_ms)
                    joined = [
                        one for s in slates for one in outcomes(s, earned[s.slate_id], now_ms)
                    ]
                    await transaction.add_outbox(outbox_entries(joined))
                    await transaction.close_slates(slate_ids)
            closed += len(slates)
            if len(slates) < SLATES_PER_TRANSACTION:
                return closed


def best_rewards(
    slates: Iterable[ShownSlate], acts: Iterable[KeptInteraction], window_ms: int
) -> Mapping[str, Mapping[str, float]]:
    """Return for every slate what each of its items earned; an ignored one has the default, 0."""
    shown = {slate.slate_id: slate for slate in slates}
    earned = {name: {item.item_id: 0.0 for item in slate.items} for name, slate in shown.items()}
    for act in acts:
        slate = shown.get(act.slate_id or "")
        if slate is None or not in_window(slate.shown_at_ms, act.occurred_at_ms, window_ms):
            continue
        rewards = earned[slate.slate_id]
        if act.item_id in rewards:
            rewards[act.item_id] = max(rewards[act.item_id], REWARDS[act.action])
    return earned


def outcomes(slate: ShownSlate, earned: Mapping[str, float], now_ms: int) -> list[Outcome]:
    """Return the outcomes of those items of the slate that ``earned`` names."""
    first = {item.item_id: item for item in reversed(slate.items)}
    return [
        Outcome(
            slate_id=slate.slate_id,
            item_id=item_id,
            position=first[item_id].position,
            reward=reward,
            propensity=first[item_id].propensity,
            bucket=slate.bucket,
            joined_at_ms=now_ms,
        )
        for item_id, reward in earned.items()
    ]


def outbox_entries(joined: Sequence[Outcome]) -> list[OutboxEntry]:
    """Return the outcomes on their way to the topic, a slate's together."""
    by_slate: dict[str, list[bytes]] = {}
    for outcome in joined:
        by_slate.setdefault(outcome.slate_id, []).append(packed(pack_outcome(outcome)))
    return [
        OutboxEntry(REWARDS_TOPIC, slate_id.encode(), tuple(records))
        for slate_id, records in by_slate.items()
    ]
