"""Filling an installation: what `attune import` and `attune dataset` do to database and log."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from origin.dataset.loading import RejectsFile, Summary, write_in_batches
from origin.dataset.rows import DatasetError

if TYPE_CHECKING:
    from rich.progress import Progress

    from attune.contract.event import Event
    from attune.contract.item import Item
    from origin.dataset.records import ImportedUser
    from origin.event_log.port import EventLog
    from origin.settings import Settings
    from origin.storage.offline import OfflineStore
    from origin.storage.port import UserRow
    from origin.storage.postgres import PostgresStore
    from origin.storage.postgres_training import PostgresTraining
    from origin.training.catalogue_embeddings import Refreshed

Result = TypeVar("Result")
Record = TypeVar("Record")

ITEMS_PER_WRITE = 1_000
EVENTS_PER_APPEND = 5_000
USERS_PER_WRITE = 1_000
LOOK_INTERVAL_S = 0.1
STALL_SECONDS = 60.0  # without one more event learned, somebody must look what is wrong


@dataclass(frozen=True, slots=True)
class Destination:
    """Where data goes: the store, training's access to it, and the log that is learned from."""

    store: "PostgresStore"
    training: "PostgresTraining"
    offline: "OfflineStore"
    log: "EventLog"


def fill(work: Callable[[Destination], Coroutine[None, None, Result]]) -> Result:
    """Run the work on this installation's database and log; outages become sentences."""
    from origin.event_log.port import LogUnavailableError
    from origin.settings import Settings, SettingsError
    from origin.storage.database import OUTAGES
    from origin.storage.embedded_postgres import postgres_at
    from origin.storage.port import StoreUnavailableError

    try:
        settings = Settings.from_environment()
        with postgres_at(settings.database_url, settings.home) as database_url:
            return asyncio.run(_connected(settings, database_url, work))
    except (DatasetError, SettingsError, StoreUnavailableError, LogUnavailableError) as error:
        raise click.ClickException(str(error)) from error
    except OUTAGES as error:
        raise click.ClickException(f"the database does not answer: {error}") from error


async def _connected(
    settings: "Settings",
    database_url: str,
    work: Callable[[Destination], Coroutine[None, None, Result]],
) -> Result:
    """Run the work on a migrated database."""
    from origin.event_log import open_configured_log
    from origin.storage.database import connection_pool, migrate
    from origin.storage.postgres import PostgresStore
    from origin.storage.postgres_offline import PostgresOffline
    from origin.storage.postgres_training import PostgresTraining

    await migrate(database_url)
    async with (
        connection_pool(database_url, 3, "import") as pool,
        await open_configured_log(settings, database_url) as log,
    ):
        training, offline = PostgresTraining(pool), PostgresOffline(pool)
        return await work(Destination(PostgresStore(pool), training, offline, log))


@contextmanager
def progress_bar(*, as_json: bool, of_bytes: bool = False) -> Generator["Progress"]:
    """Yield a progress bar on stderr, of records or bytes; a machine that reads JSON gets none."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    done = DownloadColumn() if of_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), done, Elapsed())
    with Progress(*columns, console=Console(stderr=True), disable=as_json) as progress:
        yield progress


async def write_all(
    records: Iterable[Record],
    write: Callable[[Sequence[Record]], Awaitable[object]],
    batch_size: int,
    after_each: Callable[[int], object],
) -> None:
    """Write all records in batches and tell how many after each."""
    async for written in write_in_batches(records, write, batch_size):
        after_each(written)


async def put_items(store: "PostgresStore", items: Sequence["Item"]) -> int:
    """Write a batch of items; return how many were new."""
    from origin.catalogue import write_items

    return await write_items(store, store, items, time.time_ns() // 1_000_000)


async def refresh_embeddings(destination: Destination) -> "Refreshed":
    """Place items by who met them, and users by what they met, as the daily batch does."""
    from attune.embedding import EmbeddingRule
    from kafka_consumers.catching_up import CatchingUp
    from origin.training.catalogue_embeddings import refresh_embeddings

    now_ms = time.time_ns() // 1_000_000
    rule = EmbeddingRule()
    # What waits belongs to what users did lately, from which they are made anew.
    await CatchingUp(destination.store).run(now_ms)
    return await refresh_embeddings(destination.store, destination.training, rule, now_ms)


async def append_events(log: "EventLog", events: Sequence["Event"]) -> None:
    """Append events to the log, as the HTTP intake does."""
    from attune.contract.event import partition_key
    from attune.contract.logged import log_form
    from origin.event_log import EVENTS
    from origin.packing import packed

    entries = [(partition_key(event).encode(), packed(log_form(event))) for event in events]
    await log.append(EVENTS, entries)


async def put_users(store: "PostgresStore", users: Sequence["ImportedUser"]) -> int:
    """Write users that are not known yet, and what each has seen; return how many were new."""
    from origin.storage.port import UserItem

    now_ms = time.time_ns() // 1_000_000
    async with store.transaction() as transaction:
        known = await transaction.users([user.user_id for user in users])
        new = [user_row(user) for user in users if user.user_id not in known]
        await transaction.put_users(new)
        seen = [
            UserItem(user.user_id, item_id, "click", now_ms)
            for user in users
            for item_id in dict.fromkeys(user.seen)
        ]
        await transaction.add_user_items(seen)
    return len(new)


def user_row(user: "ImportedUser") -> "UserRow":
    """Return the row of a new user; an embedding is scaled to unit length."""
    import numpy

    from origin.storage.port import UserRow

    if user.embedding is None:
        return UserRow(user.user_id)
    vector = numpy.array(user.embedding, dtype=numpy.float32)
    length = float(numpy.linalg.norm(vector))
    return UserRow(user.user_id, vector / numpy.float32(length) if length > 0 else vector)


async def learn_to_the_end(destination: Destination, after_some: Callable[[int], object]) -> None:
    """Process the log up to its present end, beside whatever processors run already.

    Raises:
        DatasetError: when nothing was learned for a minute.
    """
    from kafka_consumers.groups import event_runners
    from origin.event_log import EVENTS

    ends = await destination.log.end_offsets(EVENTS)
    stopping = asyncio.Event()
    runners = event_runners(destination.log, destination.store)
    running = asyncio.gather(*(runner.run(stopping) for runner in runners))
    try:
        await _wait_for(destination, ends, running, after_some)
    finally:
        stopping.set()
        await running


async def _wait_for(
    destination: Destination,
    ends: dict[int, int],
    running: "asyncio.Future[list[None]]",
    after_some: Callable[[int], object],
) -> None:
    """Return when all groups have passed all these offsets."""
    left = await _records_left(destination, ends)
    progressed_at_s = time.monotonic()
    while left and not running.done():
        await asyncio.sleep(LOOK_INTERVAL_S)
        now_left = await _records_left(destination, ends)
        if now_left < left:
            progressed_at_s = time.monotonic()
            after_some(left - now_left)
        elif time.monotonic() - progressed_at_s > STALL_SECONDS:
            raise DatasetError(f"{left} events wait in the log, and none was learned for a minute")
        left = now_left


async def _records_left(destination: Destination, ends: dict[int, int]) -> int:
    """Return how many records before these offsets wait to be processed."""
    from kafka_consumers.groups import EVENT_GROUPS
    from origin.event_log import EVENTS

    left = 0
    async with destination.store.transaction() as transaction:
        for group in EVENT_GROUPS:
            reached = await transaction.next_offsets(group, EVENTS, sorted(ends))
            left += sum(max(0, end - reached[partition]) for partition, end in ends.items())
    return left


def tell_rejects(rejects: RejectsFile, summary: Summary, *, as_json: bool) -> None:
    """Show people the first rejected lines and where all of them are."""
    from origin.commands.report import say, show_rows

    if not rejects.first or as_json:
        return
    rows = [
        {"line": reject.line, "field": reject.field or "-", "problem": reject.problem}
        for reject in rejects.first
    ]
    show_rows(rows, as_json=False, title=f"First of {summary.rejected:,} rejected lines")
    say(f"All rejected lines are in {rejects.path}.")
