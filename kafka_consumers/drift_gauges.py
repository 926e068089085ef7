"""What the drift monitor found, as gauges for Prometheus."""

import asyncio
import logging
import math

from prometheus_client import CollectorRegistry, Gauge

from origin.drift_state import NAME, DriftReport, unpacked_state
from origin.storage.port import LearningStore, StoreUnavailableError

INTERVAL_S = 15.0
"""As often as Prometheus asks; the monitor looks once a minute."""

logger = logging.getLogger(__name__)


class DriftGauges:
    """The latest report of the drift monitor, whichever process made it, as gauges."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._checked_at = Gauge(
            "attune_drift_checked_timestamp_seconds", "When the monitor looked last.",
            registry=registry,
        )  # fmt: skip
        self._alert = Gauge(
            "attune_drift_alert", "1 where the monitor says that it has drifted.",
            ("of",), registry=registry,
        )  # fmt: skip
        self._population = Gauge(
            "attune_drift_population_distance", "Cosine distance of users' mean from the baseline.",
            registry=registry,
        )  # fmt: skip
        self._features = Gauge(
            "attune_drift_feature_index", "Population stability index of a feature.",
            ("feature",), registry=registry,
        )  # fmt: skip
        self._reward = Gauge(
            "attune_drift_reward_statistic", "Page-Hinkley sum of rewards, in standard deviations.",
            registry=registry,
        )  # fmt: skip

    def show(self, report: DriftReport) -> None:
        """Take the report's values; what it cannot tell is not a number, or absent."""
        alerts = report.alerts
        distance = report.population_distance
        self._checked_at.set(report.checked_at_ms / 1000)
        self._population.set(math.nan if distance is None else distance)
        self._reward.set(report.reward_statistic)
        self._features.clear()
        for name, index in report.feature_indices.items():
            self._features.labels(name).set(index)
        features = any(alert.startswith("feature ") for alert in alerts)
        for name, drifted in (
            ("population", "population" in alerts),
            ("features", features),
            ("reward", "reward" in alerts),
        ):
            self._alert.labels(name).set(drifted)

    async def watch(self, store: LearningStore) -> None:
        """Read the report again and again, until cancelled."""
        while True:
            try:
                async with store.transaction() as transaction:
                    state = unpacked_state(await transaction.fitting(NAME))
                self.show(state.report)
            except StoreUnavailableError as error:
                logger.debug("The drift is not known: %s", error)
            await asyncio.sleep(INTERVAL_S)
