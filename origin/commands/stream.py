"""``attune stream``: how the stream stands, and what people do to it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from origin.commands.import_ import events as backfill
from origin.commands.report import json_option, say, show, show_rows
from origin.commands.stream_users import drift, erase

if TYPE_CHECKING:
    from origin.commands.stream_work import Place


@click.group("stream")
def command() -> None:
    """Look at the stream: lag, freshness, dead letters; replay, rebuild, backfill.

    What to do when something is wrong: docs/runbook.md.
    """


command.add_command(backfill, "backfill")
command.add_command(erase)
command.add_command(drift)


def place_of(context: click.Context, parameter: click.Parameter, text: str) -> "Place":
    """Return the place that the text names."""
    from origin.commands.stream_work import read_place

    try:
        return read_place(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@command.command("status")
@click.option("--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option(
    "--interval",
    "interval_s",
    default=1.0,
    type=click.FloatRange(0.1, 60.0),
    help="Seconds over which rates are measured, and between two looks of --watch.",
)
@json_option
def status(watch: bool, interval_s: float, as_json: bool) -> None:
    """Show each group's lag, rate and freshness, the dead letters, and what waits to be sent."""
    from origin.commands.stream_view import show_status
    from origin.commands.stream_work import watched_status

    watched_status(interval_s, watch, lambda found: show_status(found, as_json=as_json))


@command.command("replay")
@click.option(
    "--from",
    "place",
    required=True,
    callback=place_of,
    metavar="OFFSET|TIME|start",
    help="An offset, an ISO 8601 time (UTC without an offset), or start.",
)
@click.option("--group", default="learning", help="Who reads again.")
@click.option("--topic", default="events", help="What is read again.")
@click.option(
    "--partition", "partitions", multiple=True, type=int, help="Only these.  [default: all]"
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def replay(
    place: "Place",
    group: str,
    topic: str,
    partitions: tuple[int, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Read a stretch of the log again, so that what was missed is learned.

    Events that were learned before are known by their id and are not counted twice; so this
    repairs gaps and changes nothing else. Half a million events of each partition are remembered:
    going further back is refused. Processors may run meanwhile. To forget what was learned and
    learn it anew, use `attune stream rebuild`.
    """
    from origin.commands.stream_work import Replay, replayed

    def confirm(records: int) -> bool:
        return yes or click.confirm(f"{group} will read {records:,} records again. Go on?")

    done = replayed(Replay(place, group, topic, partitions), confirm)
    show(done, as_json=as_json, title="Replay")


@command.command("rebuild")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def rebuild(yes: bool, as_json: bool) -> None:
    """Forget everything that was learned from the log, and learn it anew from its start.

    Users' embeddings and histories, counters and posteriors are empty at first and fill as the
    processors go; catalogue, models and erasures stay. What the log does not hold any more does
    not come back: events past their retention, and users that were imported.
    """
    from origin.commands.stream_work import rebuilt

    def confirm(records: int, expired: int) -> bool:
        say(
            f"{records:,} records will be learned anew; {expired:,} have expired and are lost.",
            as_json=as_json,
        )
        return yes or click.confirm("Forget what was learned?")

    show(rebuilt(confirm), as_json=as_json, title="Rebuild")


@command.group("dead-letters")
def dead_letters() -> None:
    """Records that could not be processed, each with its reason."""


@dead_letters.command("list")
@click.option("--topic", help="Only of this topic.")
@click.option("--limit", default=50, type=click.IntRange(1, 10_000), help="At most so many.")
@click.option(
    "--values",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each record's bytes into this folder, by its id.",
)
@json_option
def list_(topic: str | None, limit: int, values: Path | None, as_json: bool) -> None:
    """Show the oldest ones."""
    from origin.commands.stream_view import letter_rows
    from origin.commands.stream_work import kept_letters

    letters = kept_letters(topic, limit)
    if values is not None:
        values.mkdir(parents=True, exist_ok=True)
        for letter in letters:
            (values / str(letter.letter_id)).write_bytes(letter.value)
    show_rows(letter_rows(letters), as_json=as_json, title="Dead letters")


@dead_letters.command("retry")
@click.argument("letter_ids", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--topic", help="Only of this topic.")
@json_option
def retry(letter_ids: tuple[int, ...], everything: bool, topic: str | None, as_json: bool) -> None:
    """Append records to their topic again and take them off the list.

    For after the fault was mended. One that fails again comes back; one that was learned
    meanwhile is known by its event id.
    """
    from origin.commands.stream_work import retried_letters

    if bool(letter_ids) == everything:
        raise click.UsageError("name the ids of dead letters, or --all of them")
    retried = retried_letters(topic, list(letter_ids) if letter_ids else None)
    show({"retried": retried}, as_json=as_json, title="Dead letters")
