"""``attune consume``: the stream processors, learning from the event log."""

import asyncio
import json
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kafka_consumers.chores import Chore
    from kafka_consumers.groups import AnyRunner
    from kafka_consumers.rewards import Rewards
    from origin.event_log.port import EventLog
    from origin.settings import Settings
    from origin.storage.port import LearningStore

STOP_TIMEOUT_S = 4.5
"""A batch that takes longer is given up: it is repeated after the next start."""
STATUS_INTERVAL_S = 10.0
CONNECTIONS_MAX = 8
"""Each group writes on one connection; a few more for housekeeping."""
START_TIMEOUT_S = 30.0
START_PAUSE_S = 0.5
"""Between two attempts to reach the database and the log."""

logger = logging.getLogger(__name__)


@click.command("consume")
@click.option(
    "--only", multiple=True, metavar="GROUP", help="Run this group alone; may be given repeatedly."
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    envvar="ATTUNE_METRICS_PORT",
    help="Serve counters for Prometheus on this port.  [default: none are served]",
)
@click.option(
    "--metrics-host",
    default="127.0.0.1",
    envvar="ATTUNE_METRICS_HOST",
    help="The address that they are served on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the progress as JSON lines.")
def command(
    only: tuple[str, ...], metrics_port: int | None, metrics_host: str, as_json: bool
) -> None:
    """Learn from the event log until stopped (Ctrl-C): embeddings, counters, rewards.

    Several processes share the work; each event counts once, whatever is killed and when.
    """
    from origin.event_log.port import LogUnavailableError
    from origin.settings import Settings, SettingsError
    from origin.storage.database import OUTAGES
    from origin.storage.embedded_postgres import postgres_at

    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    # The clients report every failed attempt; the runner says once that it waits, and why.
    for client in ("aiokafka", "asyncpg"):
        logging.getLogger(client).setLevel(logging.CRITICAL)
    with postgres_at(settings.database_url, settings.home) as database_url:
        try:
            metrics = None if metrics_port is None else (metrics_host, metrics_port)
            work = partial(_consume, settings, database_url, only, metrics, as_json)
            _when_all_answers(lambda: asyncio.run(work()))
        except LogUnavailableError as error:
            raise click.ClickException(str(error)) from error
        except OUTAGES as error:
            raise click.ClickException(f"the database does not answer: {error}") from error


def _when_all_answers(consume: Callable[[], None]) -> None:
    """Consume; what is away at the start is waited for: machines come up in any order."""
    from origin.event_log.port import LogUnavailableError
    from origin.storage.database import OUTAGES

    deadline_s = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            return consume()
        except (LogUnavailableError, *OUTAGES) as error:
            if time.monotonic() > deadline_s:
                raise
            logger.warning("Waiting to start: %s", error, extra={"action": "consumer_waits"})
            time.sleep(START_PAUSE_S)


async def _consume(
    settings: "Settings",
    database_url: str,
    only: tuple[str, ...],
    metrics: tuple[str, int] | None,
    as_json: bool,
) -> None:
    from kafka_consumers.deferred import Boundary
    from kafka_consumers.groups import LEARNING, event_runners, record_runners
    from kafka_consumers.rewards import Rewards
    from origin.event_log import open_configured_log
    from origin.storage.database import connection_pool, migrate
    from origin.storage.postgres import PostgresStore

    await migrate(database_url)
    async with (
        connection_pool(database_url, CONNECTIONS_MAX, "consumer") as pool,
        await open_configured_log(settings, database_url) as log,
    ):
        store = PostgresStore(pool)
        rewards = Rewards(settings.reward_window_ms)
        retention_ms = settings.topic_retention_hours * 3_600_000
        runners = [
            *event_runners(log, store, rewards, Boundary.of_days(settings.active_within_days)),
            *record_runners(log, store, retention_ms),
        ]
        groups = {runner.group for runner in runners}
        if unknown := set(only) - groups:
            known = ", ".join(sorted(groups))
            raise click.UsageError(f"--only {unknown.pop()}: no such group, only {known}")
        chosen = [runner for runner in runners if not only or runner.group in only]
        learns = any(runner.group == LEARNING for runner in chosen)
        chores = chores_of(settings, store, log, rewards) if learns else []
        where = settings.kafka_bootstrap_servers or "the database"
        click.echo(f"Learning from the event log in {where}. Ctrl-C stops.", err=True)
        async with _measured(chosen, log, store, metrics):
            await _until_stopped(chosen, chores, as_json)


@asynccontextmanager
async def _measured(
    runners: "Sequence[AnyRunner]",
    log: "EventLog",
    store: "LearningStore",
    address: tuple[str, int] | None,
) -> AsyncIterator[None]:
    """Serve counts and drift while the block runs, where an address is given."""
    if address is None:
        yield
        return
    from prometheus_client import start_http_server

    from kafka_consumers.metrics import ConsumerMetrics

    metrics = ConsumerMetrics(runners)
    host, port = address
    try:
        server, _ = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise click.ClickException(f"--metrics-port {port} cannot be used: {error}") from error
    click.echo(f"Counters: http://{host}:{server.server_port}/metrics", err=True)
    watching = [
        asyncio.create_task(metrics.watch(log)),
        asyncio.create_task(metrics.drift.watch(store)),
    ]
    try:
        yield
    finally:
        for task in watching:
            task.cancel()
        server.shutdown()
        server.server_close()


def chores_of(
    settings: "Settings", store: "LearningStore", log: "EventLog", rewards: "Rewards"
) -> "list[Chore]":
    """Return what has to be done beside the stream; a second is how fresh outcomes must be."""
    from kafka_consumers import catching_up
    from kafka_consumers.chores import Chore, NeighbourPruning, Pruning
    from kafka_consumers.closing import SlateCloser
    from kafka_consumers.drift import INTERVAL_S, DriftMonitor
    from kafka_consumers.examination import ExaminationFitter
    from kafka_consumers.outbox import OutboxSender

    retention_ms = settings.history_retention_hours * 3_600_000
    return [
        Chore("outbox", 1.0, OutboxSender(store, log).run),
        Chore("closing", 5.0, SlateCloser(store, settings.reward_window_ms).run),
        Chore("examination", 60.0, ExaminationFitter(store, rewards).run),
        Chore("drift", INTERVAL_S, DriftMonitor(store).run),
        Chore("deferred", catching_up.INTERVAL_S, catching_up.CatchingUp(store).run),
        Chore("pruning", 60.0, Pruning(store, retention_ms).run),
        Chore("neighbours", 5.0, NeighbourPruning(store).run),
    ]


async def _until_stopped(
    runners: "Sequence[AnyRunner]", chores: "list[Chore]", as_json: bool
) -> None:
    from kafka_consumers.chores import do_chores

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    running = [asyncio.create_task(runner.run(stopping)) for runner in runners]
    if chores:
        running.append(asyncio.create_task(do_chores(chores, stopping)))
    reporting = asyncio.create_task(_report(runners, as_json))
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait((*running, waiting), return_when=asyncio.FIRST_COMPLETED)
    # Where one of them failed, the others stop, too: half of the learning would go unnoticed.
    stopping.set()
    reporting.cancel()
    try:
        await asyncio.wait_for(asyncio.gather(*running), STOP_TIMEOUT_S)
    except TimeoutError:
        click.echo("The last batches were given up; they will be repeated.", err=True)
    finally:
        waiting.cancel()
    for runner in runners:
        _say(runner, as_json)


async def _report(runners: "Sequence[AnyRunner]", as_json: bool) -> None:
    reported = dict.fromkeys((runner.group for runner in runners), -1)
    while True:
        await asyncio.sleep(STATUS_INTERVAL_S)
        for runner in runners:
            if runner.progress.batches != reported[runner.group]:
                _say(runner, as_json)
            reported[runner.group] = runner.progress.batches


def _say(runner: "AnyRunner", as_json: bool) -> None:
    progress = runner.progress
    if as_json:
        head = {"at_ms": time.time_ns() // 1_000_000, "group": runner.group}
        click.echo(json.dumps(head | asdict(progress)))
        return
    click.echo(
        f"{runner.group}: {progress.events:,} events learned, {progress.duplicates:,} duplicates "
        f"dropped, {progress.dead_letters:,} put aside. "
        f"Latest: {progress.freshness_ms} ms after it came.",
        err=True,
    )
