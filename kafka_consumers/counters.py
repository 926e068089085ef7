"""The counters processor: decayed popularity of items and of pairs of items met together."""

from dataclasses import dataclass, field

import numpy as np

from attune.contract.event import ACTIONS
from attune.covisitation import Neighbour
from attune.popularity import HALF_LIVES_HOURS, MS_PER_HOUR, WEIGHTS
from kafka_consumers.batch import Batch
from kafka_consumers.companions import LastItems, counted_pairs
from origin.storage.port import LearningTransaction, PopularityDelta

ACTION_WEIGHTS = np.array([WEIGHTS.get(action, 0.0) for action in ACTIONS])


@dataclass(frozen=True, slots=True)
class Counters:
    """The processor of everything that counts for the crowd.

    It remembers the last items of the users that its partitions own.
    """

    last: LastItems = field(default_factory=LastItems)

    async def process(self, batch: Batch, transaction: LearningTransaction) -> None:
        """Add the batch to the counters of its items."""
        if deltas := popularity(batch):
            await transaction.add_popularity(deltas)
        if batch.by_user.ids:
            pairs = await counted_pairs(batch, self.last, transaction)
            if len(pairs.levels):
                names = self.last.item_ids
                seeds: list[int] = pairs.seeds.tolist()
                items: list[int] = pairs.items.tolist()
                levels: list[float] = pairs.levels.tolist()
                found = zip(seeds, items, levels, strict=True)
                await transaction.add_covisits(
                    [Neighbour(names[seed], names[item], level) for seed, item, level in found]
                )

    def forget(self) -> None:
        """Drop what is remembered."""
        self.last.forget()


def popularity(batch: Batch) -> list[PopularityDelta]:
    """Return what the batch's interactions add to each item's popularity."""
    rows = np.flatnonzero(batch.actions >= 0)
    rows = rows[ACTION_WEIGHTS[batch.actions[rows]] > 0.0]
    if not len(rows):
        return []
    rows = rows[np.argsort(batch.by_item.codes[rows], kind="stable")]
    items = batch.by_item.codes[rows]
    firsts = np.flatnonzero(np.r_[True, items[1:] != items[:-1]])
    weights = np.log2(ACTION_WEIGHTS[batch.actions[rows]])[:, None]  # (E, 1)
    half_lives = np.array(HALF_LIVES_HOURS) * MS_PER_HOUR  # (H,)
    levels = weights + batch.at_ms[rows][:, None] / half_lives  # (E, H)
    sums = np.logaddexp2.reduceat(levels, firsts, axis=0)  # (I, H)
    names = batch.by_item.ids
    codes: list[int] = items[firsts].tolist()
    totals: list[list[float]] = sums.tolist()
    found = zip(codes, totals, strict=True)
    return [PopularityDelta(names[item], tuple(total)) for item, total in found]
