"""The drift monitor: looks every minute whether users, features or rewards left their baseline.

The baseline is the first look after a recalibration. ``attune train embeddings``, the daily batch,
recalibrates: it places items and users anew, so it drops the baseline as well.
"""

import logging
from dataclasses import dataclass

from origin.drift import Sample, checked, feature_columns
from origin.drift_state import NAME, packed_state, unpacked_state
from origin.storage.port import LearningStore

INTERVAL_S = 60.0
USERS_MAX = 5_000
"""Users whose mean is taken: its error is 1.4 % of a unit vector's length."""
SLATES_MAX = 2_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DriftMonitor:
    """Checks for drift; of several processes the first one in a minute does."""

    store: LearningStore

    async def run(self, now_ms: int) -> int:
        """Check, unless somebody just did; return how many alerts there are."""
        async with self.store.transaction() as transaction:
            before = unpacked_state(await transaction.fitting(NAME))
            if now_ms - before.report.checked_at_ms < INTERVAL_S * 900:
                return len(before.report.alerts)
            slates = await transaction.latest_served(SLATES_MAX)
            trials, earned = await transaction.reward_totals()
            sample = Sample(
                users=await transaction.population(USERS_MAX),
                features=feature_columns(slates),
                slates=len(slates),
                trials=trials,
                earned=earned,
            )
            after = checked(before, sample, now_ms)
            await transaction.put_fitting(NAME, packed_state(after), now_ms)
        for alert in set(after.report.alerts) - set(before.report.alerts):
            logger.warning("Drift: %s", alert, extra={"action": "drift", "of": alert})
        return len(after.report.alerts)
