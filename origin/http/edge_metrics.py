"""What the edges counted, summed over all of them, for Prometheus."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from attune.contract.edge_report import GROUPS, LATENCY_BOUNDS_MS, NAMES_MAX, EdgeReport

OTHER = "other"
"""Names beyond the limit are counted together."""


class EdgeMetrics(Collector):
    """Sums of reports. Each report counts once; one that is sent again counts again."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {group: Counter() for group in GROUPS}
        self._buckets = [0] * (len(LATENCY_BOUNDS_MS) + 1)
        self._sum_ms = 0

    def add(self, report: EdgeReport) -> None:
        """Add a report."""
        for group, counts in report.counters.items():
            held = self._counts[group]
            for name, count in counts.items():
                held[name if name in held or len(held) < NAMES_MAX else OTHER] += count
        for bucket, count in enumerate(report.latency_counts):
            self._buckets[bucket] += count
        self._sum_ms += report.latency_sum_ms

    def collect(self) -> Iterable[Metric]:
        """Return the sums."""
        for group in GROUPS:
            family = CounterMetricFamily(f"attune_edge_{group}", f"Edge: {group}.", labels=["name"])
            for name, count in sorted(self._counts[group].items()):
                family.add_metric([name], count)
            yield family
        yield self._latency()

    def _latency(self) -> Metric:
        bounds = [*(f"{bound / 1000:g}" for bound in LATENCY_BOUNDS_MS), "+Inf"]
        below = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip(bounds, self._buckets, strict=True):
            below += count
            buckets.append((bound, below))
        family = HistogramMetricFamily("attune_edge_answer_seconds", "Edge: time to answer.")
        family.add_metric([], buckets, self._sum_ms / 1000)
        return family
