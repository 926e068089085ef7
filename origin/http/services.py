"""Everything that the origin's routes work with, opened and closed as one."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from attune.embedding import EmbeddingRule
from attune.exploration import ExplorationTarget
from origin.event_log import MS_PER_HOUR, open_configured_log
from origin.event_log.embedded import EmbeddedEventLog
from origin.http.artwork_cache import ArtworkCache
from origin.http.log_intake import Intake, LogIntake
from origin.http.metrics import Metrics
from origin.http.spilling_intake import SpillingIntake
from origin.model_manifest import ModelError
from origin.orchestrator import Limits, Models, Orchestrator
from origin.plain_ranker import PlainRanker
from origin.policy import PolicyKeeper
from origin.ranking import OnnxRanker, OnnxScorer
from origin.served_model import ServedModels
from origin.settings import Settings
from origin.stage import Remembered, staged
from origin.storage.database import OUTAGES, connection_pool, migrate
from origin.storage.port import StoreCounts
from origin.storage.postgres import PostgresStore

START_DEADLINE_MS = 5_000

COUNTS_AGE_MS = 2_000
"""Counting rows takes as long as there are rows; every open console asks every two seconds."""

DATABASE_WAIT_SECONDS = 30.0
"""Machines of one deployment come up in any order."""

Model = TypeVar("Model")

logger = logging.getLogger("attune.origin")


@dataclass(frozen=True, slots=True)
class Services:
    """What a route may use. ``now_ms`` is the clock: nothing below the routes reads one."""

    store: PostgresStore
    log: Intake
    policy: PolicyKeeper
    orchestrator: Orchestrator
    artwork: ArtworkCache
    models: ServedModels
    metrics: Metrics
    counts: Remembered[StoreCounts]
    now_ms: Callable[[], int]


@asynccontextmanager
async def open_services(settings: Settings, database_url: str) -> AsyncIterator[Services]:
    """Yield the services over a database that answers, migrated."""
    await migrate_when_it_answers(database_url)
    rule = EmbeddingRule()
    target = ExplorationTarget(settings.exploration_low, settings.exploration_high)
    async with connection_pool(database_url, settings.connections_max, "attune origin") as pool:
        store = PostgresStore(pool)
        log = _log_intake(settings, database_url, store)
        policy = PolicyKeeper(store, rule, target)
        models = load_models(settings.models)
        orchestrator = Orchestrator(store, policy, models, rule, limits(settings))
        artwork = ArtworkCache(settings.home / "media")
        await staged(lambda: orchestrator.refresh_popular(now_ms()), START_DEADLINE_MS, None)
        forwarding = asyncio.create_task(log.forward())
        try:
            counts = Remembered(store.counts, COUNTS_AGE_MS)
            yield Services(
                store=store,
                log=log,
                policy=policy,
                orchestrator=orchestrator,
                artwork=artwork,
                models=ServedModels(settings.models),
                metrics=Metrics(),
                counts=counts,
                now_ms=now_ms,
            )
        finally:
            artwork.close()
            forwarding.cancel()
            await asyncio.wait((forwarding,))
            await log.close()


def _log_intake(settings: Settings, database_url: str, store: PostgresStore) -> Intake:
    """Return the log that the settings name; where that is Kafka, with the database behind it."""
    log = LogIntake(lambda: open_configured_log(settings, database_url))
    if settings.kafka_bootstrap_servers is None:
        return log
    spill = LogIntake(
        lambda: EmbeddedEventLog.open(
            database_url, settings.topic_partitions, settings.topic_retention_hours * MS_PER_HOUR
        )
    )
    return SpillingIntake(log, spill, store)


async def migrate_when_it_answers(database_url: str) -> None:
    """Apply the migrations; a database that is still starting is waited for."""
    deadline_s = time.monotonic() + DATABASE_WAIT_SECONDS
    while True:
        try:
            await migrate(database_url)
        except OUTAGES as error:
            if time.monotonic() > deadline_s:
                raise
            logger.warning("PostgreSQL does not answer yet: %s", error)
            await asyncio.sleep(1.0)
        else:
            return


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def limits(settings: Settings) -> Limits:
    """Return the limits that the settings set."""
    return Limits(
        stage_ms=settings.retrieval_deadline_ms,
        bundle_ms=settings.bundle_deadline_ms,
        fresh_ms=settings.bundle_fresh_ms,
        stale_ms=settings.bundle_stale_ms,
    )


def load_models(folder: Path) -> Models:
    """Return the trained models in the folder; a plain rule stands in for what is not usable."""
    plain = PlainRanker()
    ranker = _usable(lambda: OnnxRanker(folder))
    return Models(ranker or plain, plain, _usable(lambda: OnnxScorer(folder)))


def _usable(load: Callable[[], Model]) -> Model | None:
    try:
        return load()
    except ModelError as error:
        logger.warning("A model is not used: %s", error, extra={"action": "model_refused"})
        return None
