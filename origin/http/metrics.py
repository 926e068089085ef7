"""What the origin counts, for Prometheus."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from attune.contract.event import EventBatch
from attune.exploration import ExplorationState
from origin.http.edge_metrics import EdgeMetrics
from origin.stage import StageOutcome

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counters of one application, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self.edge = EdgeMetrics()
        registry.register(self.edge)
        self._requests = Counter(
            "attune_requests", "Requests answered.", ("route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "attune_request_seconds", "Time to answer.", ("route",), buckets=SECONDS,
            registry=registry,
        )  # fmt: skip
        self._stage_seconds = Histogram(
            "attune_stage_seconds", "Time of a stage.", ("stage",), buckets=SECONDS,
            registry=registry,
        )  # fmt: skip
        self._degraded = Counter(
            "attune_stage_degraded", "Stages with a cheaper result.", ("stage", "by"),
            registry=registry,
        )  # fmt: skip
        self._answers = Counter(
            "attune_answers", "Slates and bundles by rung.", ("kind", "degraded"), registry=registry
        )
        self._events = Counter(
            "attune_events", "Events by what became of them.", ("outcome",), registry=registry
        )
        self._epsilon = Gauge("attune_epsilon", "Weight of the sampled part.", registry=registry)
        self._exploration = Gauge(
            "attune_exploration_rate", "Realised exploration rate.", registry=registry
        )
        self._spilled = Gauge(
            "attune_spilled_events", "Accepted events that wait for Kafka.", registry=registry
        )
        self._defects = Counter("attune_defects", "Answers with status 500.", registry=registry)

    def saw_request(self, route: str, status: int, took_seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(took_seconds)

    def saw_stages(self, stages: Mapping[str, StageOutcome[object]]) -> None:
        """Count how the stages of an answer ended."""
        for name, outcome in stages.items():
            self._stage_seconds.labels(name).observe(outcome.took_ms / 1000)
            if outcome.degraded_by:
                self._degraded.labels(name, outcome.degraded_by).inc()

    def saw_answer(self, kind: str, degraded: str) -> None:
        """Count an answer by the rung of the degradation ladder that it stands on."""
        self._answers.labels(kind, degraded).inc()

    def saw_batch(self, batch: EventBatch) -> None:
        """Count the events of a batch that do not reach the log."""
        self._events.labels("dropped_by_consent").inc(batch.dropped_by_consent)
        self._events.labels("rejected").inc(len(batch.rejected))

    def log_took(self, events: int) -> None:
        """Count events that the log has."""
        self._events.labels("accepted").inc(events)

    def log_refused(self, events: int) -> None:
        """Count events that were sent back because the log was away."""
        self._events.labels("sent_back").inc(events)

    def saw_defect(self) -> None:
        """Count an answer that failed through a fault of ours."""
        self._defects.inc()

    def explores(self, state: ExplorationState) -> None:
        """Note what the exploration controller decided."""
        self._epsilon.set(state.epsilon)
        self._exploration.set(state.rate)

    def waits_for_the_log(self, events: int) -> None:
        """Note how many events wait in the database to be forwarded to Kafka."""
        self._spilled.set(events)

    def exposition(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)
