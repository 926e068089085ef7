"""What consumers count, and that the alert rules ask for nothing else."""

import asyncio
import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from kafka_consumers.groups import event_runners
from kafka_consumers.metrics import ConsumerMetrics
from origin.drift_state import NAME, DriftReport, DriftState, packed_state
from origin.event_log import DEAD_LETTERS, EVENTS
from origin.event_log.embedded import EmbeddedEventLog
from origin.http.metrics import Metrics
from origin.packing import unpacked
from origin.storage.database import connection_pool
from origin.storage.memory import MemoryStore
from origin.storage.postgres import PostgresStore
from tests.integration.consumers.traffic import entries, events, fill

ROOT = Path(__file__).resolve().parents[3]
RULES: dict[str, Any] = yaml.safe_load((ROOT / "deploy/alerts.yaml").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
WEEK_MS = 7 * 24 * 3600 * 1000


def samples(exposition: bytes) -> dict[tuple[str, ...], float]:
    """Return every sample by its name and the values of its labels."""
    families = text_string_to_metric_families(exposition.decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


async def test_a_consumer_counts_what_it_did_and_what_it_has_still_to_do(
    new_postgres_url: str,
) -> None:
    async with (
        await EmbeddedEventLog.open(new_postgres_url, 2, WEEK_MS) as log,
        connection_pool(new_postgres_url, 4) as pool,
    ):
        store = PostgresStore(pool)
        await fill(store)
        runner = next(one for one in event_runners(log, store) if one.group == "learning")
        metrics = ConsumerMetrics([runner])
        stopping = asyncio.Event()
        running = asyncio.create_task(runner.run(stopping))
        traffic = entries(events(60, users=5))
        await log.append(EVENTS, [*traffic, traffic[0], (b"key", b"\xc1")])
        async with asyncio.timeout(30):
            while runner.progress.dead_letters + runner.progress.events < 61:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        stopping.set()
        await running
        # What was put aside is on its way to its topic.
        async with store.transaction() as transaction:
            (letter,) = await transaction.outbox(10)
        told = unpacked(letter.records[0])
        assert (letter.topic, told["topic"], told["value"]) == (DEAD_LETTERS, EVENTS, b"\xc1")
        assert told["problem"]
        # Stopped: what comes now has still to be read.
        await log.append(EVENTS, traffic[:7])
        await asyncio.sleep(0.05)
        watching = asyncio.create_task(metrics.watch(log))
        async with asyncio.timeout(10):
            while not _lag(metrics):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        watching.cancel()
    found = samples(metrics.exposition())
    assert found["attune_stream_events_total", "learning", "learned"] == 60
    assert found["attune_stream_events_total", "learning", "duplicate"] == 1
    assert found["attune_stream_events_total", "learning", "dead_letter"] == 1
    assert found["attune_stream_batch_records_sum", "learning"] == 62
    assert found["attune_stream_freshness_seconds_bucket", "learning", "+Inf"] > 0
    assert _lag(metrics) == 7
    assert found["attune_stream_unread_age_seconds", "learning", EVENTS] > 0.01


async def test_every_process_tells_what_the_drift_monitor_found() -> None:
    store, metrics = MemoryStore(), ConsumerMetrics([])
    report = DriftReport(
        checked_at_ms=9_000, population_distance=0.3, feature_indices={"age": 0.3, "price": 0.1},
        reward_statistic=4.5,
    )  # fmt: skip
    async with store.transaction() as transaction:
        await transaction.put_fitting(NAME, packed_state(DriftState(report=report)), 9_000)
    watching = asyncio.create_task(metrics.drift.watch(store))
    async with asyncio.timeout(10):
        while samples(metrics.exposition())["attune_drift_checked_timestamp_seconds",] != 9.0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    watching.cancel()
    found = samples(metrics.exposition())
    assert found["attune_drift_alert", "population"] == 1
    assert found["attune_drift_alert", "features"] == 1
    assert found["attune_drift_alert", "reward"] == 0
    assert found["attune_drift_population_distance",] == 0.3
    assert found["attune_drift_reward_statistic",] == 4.5
    assert found["attune_drift_feature_index", "price"] == 0.1
    # A feature that is served no longer is told no longer; a distance nobody knows is none.
    metrics.drift.show(DriftReport(checked_at_ms=10_000))
    after = samples(metrics.exposition())
    assert not [name for name in after if name[0] == "attune_drift_feature_index"]
    assert math.isnan(after["attune_drift_population_distance",])


def _lag(metrics: ConsumerMetrics) -> float:
    found = samples(metrics.exposition())
    return sum(value for name, value in found.items() if name[0] == "attune_stream_lag_records")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_exist_and_names_its_page_of_the_runbook(
    rule: dict[str, Any],
) -> None:
    exposed = (ConsumerMetrics([]).exposition() + Metrics().exposition()).decode()
    families = set(re.findall(r"^# TYPE (\S+)", exposed, re.MULTILINE))
    asked = set(re.findall(r"attune_\w+", rule["expr"]))
    assert asked
    assert {re.sub(r"_bucket$", "", name) for name in asked} <= families
    assert rule["labels"]["severity"] in {"page", "ticket"}
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    page = rule["annotations"]["runbook"].removeprefix("docs/runbook.md#")
    headings = re.findall(r"^#+ (.+)$", runbook, re.MULTILINE)
    assert page in {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in headings}


def test_what_scales_consumers_is_a_metric_that_exists() -> None:
    scaled = yaml.safe_load((ROOT / "deploy/consumers-keda.yaml").read_text(encoding="utf-8"))
    (trigger,) = scaled["spec"]["triggers"]
    (asked,) = set(re.findall(r"attune_\w+", trigger["metadata"]["query"]))
    assert f"# TYPE {asked} " in ConsumerMetrics([]).exposition().decode()
