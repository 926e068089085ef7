"""What ``attune stream`` does to an installation."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import click

from origin.commands.report import FigureTree
from origin.commands.stream_view import StreamStatus
from origin.event_log import TOPICS, open_configured_log
from origin.event_log.port import EventLog, LogUnavailableError
from origin.http.spilling_intake import GROUP as FORWARDER
from origin.http.spilling_intake import SPILLED
from origin.settings import Settings, SettingsError
from origin.storage.database import OUTAGES, connection_pool, migrate
from origin.storage.embedded_postgres import postgres_at
from origin.storage.port import StoreUnavailableError
from origin.storage.postgres_stream import KeptLetter, PostgresStream
from origin.stream_status import group_statuses, look

Result = TypeVar("Result")

LETTERS_PER_STEP = 500
"""Retried at a time: appended, then taken off the list."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in every partition: an offset, or a time (0 is the start)."""

    offset: int | None = None
    time_ms: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """Who shall read what again, and from where on."""

    place: Place
    group: str
    topic: str
    partitions: Sequence[int]


def read_place(text: str) -> Place:
    """Return the place that a text names.

    Raises:
        ValueError: when it is neither an offset nor a time nor `start`.

    >>> read_place("41"), read_place("1970-01-01T00:00:02")
    (Place(offset=41, time_ms=0), Place(offset=None, time_ms=2000))
    """
    if text == "start":
        return Place()
    if text.isdecimal():
        return Place(offset=int(text))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no offset, no ISO 8601 time and not `start`") from None
    at = time if time.tzinfo else time.replace(tzinfo=UTC)
    return Place(time_ms=int(at.timestamp() * 1000))


def watched_status(interval_s: float, watch: bool, tell: Callable[[StreamStatus], None]) -> None:
    """Tell the status once, or again and again until interrupted."""

    async def work(stream: PostgresStream, settings: Settings, database_url: str) -> None:
        async with _log_if_there(settings, database_url) as log:
            before = await look(log, await stream.offsets(), _now_ms())
            while True:
                await asyncio.sleep(interval_s)
                now = await look(log, await stream.offsets(), _now_ms())
                tell(
                    StreamStatus(
                        at_ms=now.at_ms,
                        log=settings.kafka_bootstrap_servers or "the database",
                        log_answers=log is not None and None not in now.ends.values(),
                        groups=await group_statuses(log, before, now),
                        dead_letters=await stream.dead_letter_counts(),
                        waiting=await stream.waiting(SPILLED, FORWARDER),
                    )
                )
                before = now
                if not watch:
                    return

    with suppress(KeyboardInterrupt):
        _run(work)


def replayed(wanted: Replay, confirm: Callable[[int], bool]) -> Mapping[str, FigureTree]:
    """Let the group read again; return what that means."""

    async def work(
        stream: PostgresStream, settings: Settings, database_url: str
    ) -> Mapping[str, FigureTree]:
        stands = {
            one.partition: one.next_offset
            for one in await stream.offsets()
            if (one.group, one.topic) == (wanted.group, wanted.topic)
        }
        if not stands:
            raise click.ClickException(f"no group {wanted.group!r} reads the topic {wanted.topic}")
        if unknown := set(wanted.partitions) - stands.keys():
            raise click.ClickException(f"{wanted.topic} has no partition {min(unknown)}")
        async with await open_configured_log(settings, database_url) as log:
            places = await _places(log, wanted)
        back = {
            part: min(places[part], stands[part]) for part in wanted.partitions or sorted(stands)
        }
        _refuse_beyond_memory(stands, back)
        records = sum(stands[part] - offset for part, offset in back.items())
        if not confirm(records):
            raise click.Abort
        await stream.rewind(wanted.group, wanted.topic, back)
        return {"group": wanted.group, "topic": wanted.topic, "records": records}

    return _run(work)


def rebuilt(confirm: Callable[[int, int], bool]) -> Mapping[str, FigureTree]:
    """Forget what was learned and let every group start over; return what that means."""

    async def work(
        stream: PostgresStream, settings: Settings, database_url: str
    ) -> Mapping[str, FigureTree]:
        topics = {one.topic for one in await stream.offsets()} & set(TOPICS)
        records = expired = 0
        async with await open_configured_log(settings, database_url) as log:
            for topic in topics:
                starts = sum((await log.offsets_at(topic, 0)).values())
                records += sum((await log.end_offsets(topic)).values()) - starts
                expired += starts
        if not confirm(records, expired):
            raise click.Abort
        await stream.forget_learned(FORWARDER)
        return {"records": records, "expired": expired}

    return _run(work)


def kept_letters(topic: str | None, limit: int) -> Sequence[KeptLetter]:
    """Return the oldest dead letters."""

    async def work(
        stream: PostgresStream, settings: Settings, database_url: str
    ) -> Sequence[KeptLetter]:
        return await stream.dead_letters(0, limit, topic)

    return _run(work)


def retried_letters(topic: str | None, letter_ids: Sequence[int] | None) -> int:
    """Append dead letters to their topics again; return how many there were."""

    async def work(stream: PostgresStream, settings: Settings, database_url: str) -> int:
        retried = after_id = 0
        # One that fails again comes back with a higher id, maybe while this still goes on.
        newest = await stream.newest_dead_letter()
        async with await open_configured_log(settings, database_url) as log:
            while after_id < newest:
                found = await stream.dead_letters(after_id, LETTERS_PER_STEP, topic, letter_ids)
                letters = [letter for letter in found if letter.letter_id <= newest]
                for letter in letters:
                    await log.append(letter.topic, [(letter.key.encode(), letter.value)])
                retried += await stream.drop_dead_letters([one.letter_id for one in letters])
                after_id = found[-1].letter_id if found else newest
        return retried

    return _run(work)


def _refuse_beyond_memory(stands: Mapping[int, int], back: Mapping[int, int]) -> None:
    """Raise where events would be read again that the group may not know any more."""
    from kafka_consumers.seen import REMEMBERED_MIN

    for part, offset in back.items():
        if stands[part] - offset > REMEMBERED_MIN:
            raise click.ClickException(
                f"partition {part} would go back by {stands[part] - offset:,} records, but only "
                f"the last {REMEMBERED_MIN:,} are known by their ids: what is older would count "
                "twice. Start later, or learn everything anew with `attune stream rebuild`."
            )


async def _places(log: EventLog, wanted: Replay) -> Mapping[int, int]:
    """Return the offset in every partition; one that has expired becomes the oldest kept."""
    starts = await log.offsets_at(wanted.topic, 0)
    if wanted.place.offset is None:
        return await log.offsets_at(wanted.topic, wanted.place.time_ms)
    return {part: max(start, wanted.place.offset) for part, start in starts.items()}


def _run(work: Callable[[PostgresStream, Settings, str], Awaitable[Result]]) -> Result:
    """Run the work on this installation's database; outages become sentences."""
    try:
        settings = Settings.from_environment()
        with postgres_at(settings.database_url, settings.home) as database_url:
            return asyncio.run(_connected(settings, database_url, work))
    except (SettingsError, StoreUnavailableError, LogUnavailableError) as error:
        raise click.ClickException(str(error)) from error
    except OUTAGES as error:
        raise click.ClickException(f"the database does not answer: {error}") from error


async def _connected(
    settings: Settings,
    database_url: str,
    work: Callable[[PostgresStream, Settings, str], Awaitable[Result]],
) -> Result:
    await migrate(database_url)
    async with connection_pool(database_url, 1, "stream command") as pool:
        return await work(PostgresStream(pool), settings, database_url)


@asynccontextmanager
async def _log_if_there(settings: Settings, database_url: str) -> AsyncIterator[EventLog | None]:
    """Yield the log, or None where it does not answer: that is when people ask for its status."""
    try:
        log = await open_configured_log(settings, database_url)
    except LogUnavailableError:
        yield None
        return
    async with log:
        yield log


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
