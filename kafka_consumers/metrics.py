"""What a consumer process counts, for Prometheus."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from kafka_consumers.drift_gauges import DriftGauges
from kafka_consumers.groups import AnyRunner
from origin.event_log.port import EventLog, LogUnavailableError
from origin.stream_status import lags

LOOK_INTERVAL_S = 5.0
"""Between two looks at the ends of the topics; Prometheus asks every 15 s or so."""

FRESHNESS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
RECORDS = (1, 10, 100, 1_000, 5_000, 20_000, 50_000)

logger = logging.getLogger(__name__)


class ConsumerMetrics:
    """The metrics of one process, in a registry of its own; ``watch`` keeps the lag current."""

    def __init__(self, runners: Sequence[AnyRunner]) -> None:
        self.registry = CollectorRegistry()
        self._runners = runners
        self._freshness = Histogram(
            "attune_stream_freshness_seconds",
            "From an event's append to the commit of what it taught, of each batch's oldest event.",
            ("group",), buckets=FRESHNESS_S, registry=self.registry,
        )  # fmt: skip
        self._records = Histogram(
            "attune_stream_batch_records", "Records in a batch.",
            ("group",), buckets=RECORDS, registry=self.registry,
        )  # fmt: skip
        self._lag = Gauge(
            "attune_stream_lag_records", "Records of this process's partitions still to be read.",
            ("group", "topic", "partition"), registry=self.registry,
        )  # fmt: skip
        self._age = Gauge(
            "attune_stream_unread_age_seconds", "How long the oldest of them has been waiting.",
            ("group", "topic"), registry=self.registry,
        )  # fmt: skip
        self.drift = DriftGauges(self.registry)
        self.registry.register(_Counters(runners))
        for runner in runners:
            runner.observe = self._observer(runner.group)

    async def watch(self, log: EventLog) -> None:
        """Look at the log again and again, until cancelled."""
        while True:
            try:
                self._lag.clear()  # another process may have some of the partitions now
                for runner in self._runners:
                    await self._look(log, runner)
            except LogUnavailableError as error:
                logger.debug("The lag is not known: %s", error)
            await asyncio.sleep(LOOK_INTERVAL_S)

    def exposition(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)

    async def _look(self, log: EventLog, runner: AnyRunner) -> None:
        stands, now_ms = dict(runner.positions), time.time_ns() // 1_000_000
        ends = await log.end_offsets(runner.topic_name) if stands else {}
        lag = lags(stands, {partition: ends[partition] for partition in stands})
        unread = {partition: stands[partition] for partition, records in lag.items() if records}
        times = await log.times_at(runner.topic_name, unread) if unread else {}
        waited_ms = max((now_ms - time_ms for time_ms in times.values()), default=0)
        self._age.labels(runner.group, runner.topic_name).set(max(waited_ms, 0) / 1000)
        for partition, records in lag.items():
            self._lag.labels(runner.group, runner.topic_name, str(partition)).set(records)

    def _observer(self, group: str) -> Callable[[int, int], None]:
        freshness, batch = self._freshness.labels(group), self._records.labels(group)

        def observe(records: int, freshness_ms: int) -> None:
            batch.observe(records)
            freshness.observe(freshness_ms / 1000)

        return observe


class _Counters(Collector):
    """The runners' own counts, read when Prometheus asks."""

    def __init__(self, runners: Sequence[AnyRunner]) -> None:
        self._runners = runners

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Return the counts of all groups."""
        events = CounterMetricFamily(
            "attune_stream_events", "Events by what became of them.", labels=("group", "outcome")
        )
        fenced = CounterMetricFamily(
            "attune_stream_fenced_batches", "Batches that another process had first.",
            labels=("group",),
        )  # fmt: skip
        outages = CounterMetricFamily(
            "attune_stream_outages", "Waits for the log or the database.", labels=("group",)
        )
        for runner in self._runners:
            progress, group = runner.progress, runner.group
            events.add_metric((group, "learned"), progress.events)
            events.add_metric((group, "duplicate"), progress.duplicates)
            events.add_metric((group, "withheld"), progress.withheld)
            events.add_metric((group, "dead_letter"), progress.dead_letters)
            fenced.add_metric((group,), progress.fenced)
            outages.add_metric((group,), progress.outages)
        return (events, fenced, outages)
