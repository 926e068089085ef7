"""The counters processor: decayed popularity of items and of pairs of items met together."""

from collections.abc import Iterable, Iterator

from attune.contract.event import Interaction
from attune.contract.recommendation import RecentInteraction
from attune.covisitation import COMPANIONS_MAX, Neighbour, pairs
from attune.popularity import levels, merged, merged_levels
from kafka_consumers.batch import Batch
from origin.storage.port import LearningTransaction, PopularityDelta
from origin.storage.user_columns import read_recent, recent_bytes

Recents = dict[str, list[RecentInteraction]]


class Counters:
    """The processor of everything that counts for the crowd."""

    async def process(self, batch: Batch, transaction: LearningTransaction) -> None:
        """Add the batch to the counters of its items."""
        if deltas := popularity(batch.interactions):
            await transaction.add_popularity(deltas)
        stored = await transaction.recent_items(batch.by_user.ids)
        recents = {
            user_id: list(read_recent(stored[user_id])) if user_id in stored else []
            for user_id in batch.by_user.ids
        }
        if neighbours := covisits(batch, recents):
            await transaction.add_covisits(neighbours)
        if recents:
            await transaction.put_recent_items(
                {name: recent_bytes(recent[-COMPANIONS_MAX:]) for name, recent in recents.items()}
            )

    def forget(self) -> None:
        """Do nothing: nothing is remembered."""


def popularity(interactions: Iterable[Interaction]) -> list[PopularityDelta]:
    """Return what the interactions add to each item's popularity."""
    sums: dict[str, tuple[float, ...]] = {}
    for event in interactions:
        added = levels(event.action, event.occurred_at_ms)
        if added:
            sums[event.item_id] = merged_levels(sums.get(event.item_id, ()), added)
    return [PopularityDelta(item_id, total) for item_id, total in sums.items()]


def covisits(batch: Batch, recents: Recents) -> list[Neighbour]:
    """Return what the batch adds to each pair of items; only users have a memory to pair with.

    Args:
        batch: the events.
        recents: the users' recent interactions before the batch, oldest first; afterwards those
            of the batch are among them.
    """
    sums: dict[tuple[str, str], float] = {}
    for pair in _pairs(batch, recents):
        key = pair.seed_id, pair.item_id
        known = sums.get(key)
        sums[key] = pair.level if known is None else merged(known, pair.level)
    return [Neighbour(seed_id, item_id, total) for (seed_id, item_id), total in sums.items()]


def _pairs(batch: Batch, recents: Recents) -> Iterator[Neighbour]:
    for event in batch.interactions:
        if event.user_id is None:
            continue
        recent = recents.setdefault(event.user_id, [])
        yield from pairs(recent, event.item_id, event.action, event.occurred_at_ms)
        recent.append(RecentInteraction(event.item_id, event.action, event.occurred_at_ms))
