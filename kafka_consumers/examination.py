"""Fitting examination: how likely each position is looked at, from what was done at it.

The model is ``attune.examination``'s, ``acted(i, k) ~ Poisson(shown(i, k) examined(k) appeal(i))``:
the same item at different positions tells the positions apart. Its likelihood has one maximum,
found by setting one factor after the other to what the other one implies (iterative proportional
fitting: Deming & Stephan, 1940), and that an item has a parameter of its own does not bias the
positions' (a property of Poisson models: Hausman, Hall & Griliches, 1984).

What it cannot tell apart: when one item stands first for those who want it and last for others,
some of the wanting is taken for position. Exploration and shuffled ties keep that small; where it
is not, examination falls too steeply, and items that stand low are judged too well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from attune.examination import EXAMINED_MIN, Examination
from kafka_consumers.rewards import Rewards
from origin.packing import packed, unpacked
from origin.storage.outcomes import PositionCount
from origin.storage.port import LearningStore

SLATES_MAX = 20_000
"""Latest slates that are looked at: at 12 items and 5 % a position has 1,000 acts, 3 % of error."""

ACTS_MIN = 500
ITEMS_MIN = 20
"""Below so many acts, or items met at more than one position, every position counts alike."""

ACTS_ASSUMED = 20.0
"""Acts that every position starts with, as if it were looked at: rare positions stay near 1."""

ROUNDS = 100
FIT_INTERVAL_MS = 3_600_000
"""Pages change with releases, not with visitors; the query takes about 0.5 s."""

NAME = "examination"


def fitted_examination(counts: Sequence[PositionCount]) -> Examination:
    """Return the examination that the counts speak for, the default one while they are few."""
    if not counts:
        return Examination()
    _, item = np.unique([one.item_id for one in counts], return_inverse=True)  # (C,)
    position = np.array([one.position for one in counts])  # (C,)
    shown = np.array([one.shown for one in counts], dtype=np.float64)  # (C,)
    acted = np.array([one.acted for one in counts], dtype=np.float64)  # (C,)
    if acted.sum() < ACTS_MIN or (np.bincount(item) > 1).sum() < ITEMS_MIN:
        return Examination()
    acted_item, acted_place = np.bincount(item, acted), np.bincount(position, acted)  # (I,), (P,)
    examined = np.ones(len(acted_place))
    for _ in range(ROUNDS):
        looked = np.bincount(item, shown * examined[position])  # (I,)
        appeal = acted_item / np.maximum(looked, 1e-12)
        expected = np.bincount(position, shown * appeal[item])  # (P,)
        examined = (acted_place + ACTS_ASSUMED) / (expected + ACTS_ASSUMED)
        examined /= examined[0]
    clipped = np.clip(examined, EXAMINED_MIN, 1.0)
    overall = acted.sum() / (shown * clipped[position]).sum()
    return Examination(tuple(clipped.tolist()), float(min(overall, 0.5)))


@dataclass(frozen=True, slots=True)
class ExaminationFitter:
    """Keeps a process's ``Rewards`` at the latest fit; the first to find it old fits it anew."""

    store: LearningStore
    rewards: Rewards

    async def run(self, now_ms: int) -> int:
        """Return how many positions the examination in force knows."""
        async with self.store.transaction() as transaction:
            stored = await transaction.fitting(NAME)
            known = None if stored is None else unpacked_fit(stored)
            if known is None or now_ms - known[0] >= FIT_INTERVAL_MS:
                # Slates that may still earn would look as if their positions were not examined.
                before_ms = now_ms - self.rewards.window_ms
                counts = await transaction.position_counts(before_ms, SLATES_MAX)
                known = now_ms, fitted_examination(counts)
                await transaction.put_fitting(NAME, packed_fit(*known), now_ms)
        self.rewards.examination = known[1]
        return len(known[1].examined)


def packed_fit(fitted_at_ms: int, examination: Examination) -> bytes:
    """Return a fit as the store keeps it."""
    return packed([fitted_at_ms, list(examination.examined), examination.appeal])


def unpacked_fit(stored: bytes) -> tuple[int, Examination]:
    """Return when an examination was fitted, and which one."""
    fitted_at_ms, examined, appeal = cast("tuple[int, list[float], float]", unpacked(stored))
    return fitted_at_ms, Examination(tuple(examined), appeal)
