"""``attune consume``: the stream processors, learning from the event log."""

import asyncio
import json
import logging
import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kafka_consumers.chores import Chore
    from kafka_consumers.rewards import Rewards
    from kafka_consumers.runner import Progress, Runner
    from origin.event_log.port import EventLog
    from origin.settings import Settings
    from origin.storage.port import LearningStore

STOP_TIMEOUT_S = 4.5
"""A batch that takes longer is given up: it is repeated after the next start."""
STATUS_INTERVAL_S = 10.0
START_TIMEOUT_S = 30.0
START_PAUSE_S = 0.5
"""Between two attempts to reach the database and the log."""

logger = logging.getLogger(__name__)


@click.command("consume")
@click.option("--json", "as_json", is_flag=True, help="Print the progress as JSON lines.")
def command(as_json: bool) -> None:
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
            _when_all_answers(lambda: asyncio.run(_consume(settings, database_url, as_json)))
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


async def _consume(settings: "Settings", database_url: str, as_json: bool) -> None:
    from kafka_consumers.counters import Counters
    from kafka_consumers.rewards import Rewards
    from kafka_consumers.runner import Runner
    from kafka_consumers.users import Users
    from origin.event_log import open_configured_log
    from origin.storage.database import connection_pool, migrate
    from origin.storage.postgres import PostgresStore

    await migrate(database_url)
    async with (
        connection_pool(database_url, 3, "consumer") as pool,
        await open_configured_log(settings, database_url) as log,
    ):
        store = PostgresStore(pool)
        rewards = Rewards(settings.reward_window_ms)
        runner = Runner(log, store, (Users(), Counters(), rewards))
        chores = chores_of(settings, store, log, rewards)
        where = settings.kafka_bootstrap_servers or "the database"
        click.echo(f"Learning from the event log in {where}. Ctrl-C stops.", err=True)
        await _until_stopped(runner, chores, as_json)


def chores_of(
    settings: "Settings", store: "LearningStore", log: "EventLog", rewards: "Rewards"
) -> "list[Chore]":
    """Return what has to be done beside the stream; a second is how fresh outcomes must be."""
    from kafka_consumers.chores import Chore, Pruning
    from kafka_consumers.closing import SlateCloser
    from kafka_consumers.examination import ExaminationFitter
    from kafka_consumers.outbox import OutboxSender

    retention_ms = settings.history_retention_hours * 3_600_000
    return [
        Chore("outbox", 1.0, OutboxSender(store, log).run),
        Chore("closing", 5.0, SlateCloser(store, settings.reward_window_ms).run),
        Chore("examination", 60.0, ExaminationFitter(store, rewards).run),
        Chore("pruning", 60.0, Pruning(store, retention_ms).run),
    ]


async def _until_stopped(runner: "Runner", chores: "list[Chore]", as_json: bool) -> None:
    from kafka_consumers.chores import do_chores

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    running = asyncio.gather(runner.run(stopping), do_chores(chores, stopping))
    reporting = asyncio.create_task(_report(runner.progress, as_json))
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
    reporting.cancel()
    try:
        await asyncio.wait_for(running, STOP_TIMEOUT_S)
    except TimeoutError:
        click.echo("The last batch was given up; it will be repeated.", err=True)
    finally:
        waiting.cancel()
    _say(runner.progress, as_json)


async def _report(progress: "Progress", as_json: bool) -> None:
    reported = -1
    while True:
        await asyncio.sleep(STATUS_INTERVAL_S)
        if progress.batches != reported:
            _say(progress, as_json)
        reported = progress.batches


def _say(progress: "Progress", as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"at_ms": time.time_ns() // 1_000_000} | asdict(progress)))
        return
    click.echo(
        f"{progress.events:,} events learned, {progress.duplicates:,} duplicates dropped, "
        f"{progress.dead_letters:,} put aside. Latest: {progress.freshness_ms} ms after it came.",
        err=True,
    )
