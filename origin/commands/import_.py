"""`attune import`: users, items or events from a CSV, JSON lines or Parquet file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from origin.commands.report import FigureTree, json_option, show

if TYPE_CHECKING:
    from attune.contract.event import Event
    from attune.contract.item import Item
    from origin.commands.filling import Destination
    from origin.dataset.records import ImportedUser

Decorated = TypeVar("Decorated", bound=Callable[..., object])
Names = dict[str, str]


@click.group("import")
def command() -> None:
    """Load users, items or events from a CSV, JSON lines or Parquet file.

    The columns carry the names of the fields; --map renames others. Lines that cannot be used go
    to a rejects file with the field and the reason. A file may be larger than memory, and loading
    it twice changes nothing.
    """


def read_names(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> Names:
    """Return the columns that are renamed, each with its field."""
    for value in values:
        if value.count("=") != 1 or value.startswith("=") or value.endswith("="):
            raise click.BadParameter(f"{value!r} is not of the form COLUMN=FIELD")
    pairs = (value.split("=") for value in values)
    return {column.strip(): field.strip() for column, field in pairs}


def file_options(function: Decorated) -> Decorated:
    """Give a command the file, its format, renamed columns, the rejects file and --json."""
    options = (
        json_option,
        click.option(
            "--map",
            "names",
            multiple=True,
            callback=read_names,
            metavar="COLUMN=FIELD",
            help="Read this column as that field; may be given several times.",
        ),
        click.option(
            "--rejects",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Where rejected lines go.  [default: FILE.rejects.jsonl, in this directory]",
        ),
        click.option(
            "--format",
            "file_format",
            type=click.Choice(["csv", "jsonl", "parquet"]),
            help="The file's format.  [default: what its name ends on; .gz is unpacked]",
        ),
        click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    )
    for option in options:
        function = option(function)
    return function


@command.command("items")
@file_options
def items(
    file: Path, file_format: str | None, rejects: Path | None, names: Names, as_json: bool
) -> None:
    """Insert or replace items: item_id, title, description, category, tags, price ...

    Tags in one cell are separated by |. Columns that are no field of an item become attributes.
    """
    from origin.commands.file_job import FileJob
    from origin.commands.filling import ITEMS_PER_WRITE, put_items
    from origin.dataset.loading import Reading
    from origin.dataset.records import item_of, renamed

    async def write(destination: "Destination", batch: "Sequence[Item]") -> int:
        return await put_items(destination.store, batch)

    reading = Reading(lambda row: item_of(renamed(row.values, names)), lambda item: item.item_id)
    job = FileJob(file, file_format, rejects, as_json, reading, ITEMS_PER_WRITE, write)
    tell(job.run(), as_json=as_json, title=f"Items from {file.name}")


@command.command("events")
@file_options
@click.option("--wait/--no-wait", default=True, help="Return when everything is learned.")
def events(
    file: Path,
    file_format: str | None,
    rejects: Path | None,
    names: Names,
    as_json: bool,
    wait: bool,
) -> None:
    """Append events to the event log: user_id, item_id, occurred_at, and optionally the rest.

    They take the way of live events and keep their times. A time is ISO 8601, or seconds or
    milliseconds since 1970. The action is a view unless the column says click, cart, purchase or
    dismiss; a session follows from gaps of 30 minutes.
    """
    from origin.commands.file_job import FileJob
    from origin.commands.filling import EVENTS_PER_APPEND, append_events, learn_to_the_end
    from origin.dataset.loading import Reading
    from origin.dataset.records import Sessions, event_key, event_of, renamed

    async def write(destination: "Destination", batch: "Sequence[Event]") -> int:
        await append_events(destination.log, batch)
        return len(batch)

    sessions = Sessions()
    reading = Reading(lambda row: event_of(renamed(row.values, names), sessions), event_key)
    finish = learn_to_the_end if wait else None
    job = FileJob(
        file, file_format, rejects, as_json, reading, EVENTS_PER_APPEND, write, "appended", finish
    )
    tell(job.run(), as_json=as_json, title=f"Events from {file.name}")


@command.command("users")
@file_options
def users(
    file: Path, file_format: str | None, rejects: Path | None, names: Names, as_json: bool
) -> None:
    """Add users that are not known yet: user_id, and optionally embedding and seen.

    The embedding is 64 numbers, seen are the ids of items that they know already; both are
    separated by | in one cell. What was learned of a known user stays.
    """
    from origin.commands.file_job import FileJob
    from origin.commands.filling import USERS_PER_WRITE, put_users
    from origin.dataset.loading import Reading
    from origin.dataset.records import renamed, user_of

    async def write(destination: "Destination", batch: "Sequence[ImportedUser]") -> int:
        return await put_users(destination.store, batch)

    reading = Reading(lambda row: user_of(renamed(row.values, names)), lambda user: user.user_id)
    job = FileJob(file, file_format, rejects, as_json, reading, USERS_PER_WRITE, write)
    tell(job.run(), as_json=as_json, title=f"Users from {file.name}")


def tell(figures: dict[str, FigureTree], *, as_json: bool, title: str) -> None:
    """Show what became of a file; fail when none of its lines could be used."""
    show(figures, as_json=as_json, title=title)
    if figures["read"] and figures["read"] == figures["rejected"]:
        raise click.ClickException("none of the lines could be used")
