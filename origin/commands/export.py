"""`attune export`: what was shown, known and done, as files for training elsewhere."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, show

if TYPE_CHECKING:
    from origin.commands.filling import Destination


class Instant(click.ParamType[int]):
    """An instant: ISO 8601 (UTC unless it says otherwise), or milliseconds since 1970."""

    name = "instant"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the instant in milliseconds since 1970."""
        text = str(value)
        if text.isdecimal():
            return int(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is neither ISO 8601 nor milliseconds since 1970", param, ctx)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)


@click.group("export")
def command() -> None:
    """Write files from what this installation has learned from."""


@command.command("training-set")
@click.option(
    "--from", "from_ms", default="0", type=Instant(), help="First instant: ISO 8601 or ms."
)
@click.option("--to", "to_ms", type=Instant(), help="The instant after the last one; now.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The Parquet file to write.",
)
@json_option
def training_set(from_ms: int, to_ms: int | None, out: Path, as_json: bool) -> None:
    """Write one row per shown item: features as they were, propensity, labels, the past.

    Features are those that were logged with the decision, sequences end before it, and labels are
    what was done with the item within the window. Needs the extra `parquet`. The columns are
    described in docs/feature-store.md.
    """
    from origin.commands.filling import fill

    started_s = time.monotonic()
    until_ms = time.time_ns() // 1_000_000 if to_ms is None else to_ms
    if until_ms <= from_ms:
        raise click.BadParameter("must be after --from", param_hint="--to")

    async def write(destination: "Destination") -> tuple[int, int]:
        return await _write(destination, from_ms, until_ms, out, as_json=as_json)

    slates, rows = fill(write)
    figures: dict[str, FigureTree] = {
        "file": str(out),
        "from_ms": from_ms,
        "to_ms": until_ms,
        "slates": slates,
        "rows": rows,
        "bytes": out.stat().st_size,
        "seconds": round(time.monotonic() - started_s, 2),
    }
    show(figures, as_json=as_json, title="Training set")


async def _write(
    destination: "Destination", from_ms: int, to_ms: int, out: Path, *, as_json: bool
) -> tuple[int, int]:
    """Write the file; return how many slates and rows it has."""
    from origin.commands.filling import progress_bar
    from origin.settings import Settings
    from origin.training_set import pages
    from origin.training_set_file import TrainingSetFile

    store = destination.offline
    window_ms = Settings.from_environment().reward_window_ms
    slates = 0
    with TrainingSetFile(out) as file, progress_bar(as_json=as_json) as bar:
        total = await store.count_decisions(from_ms, to_ms)
        task = bar.add_task("Slates", total=total)
        async for count, rows in pages(store, from_ms, to_ms, window_ms):
            file.write(rows)
            slates += count
            bar.advance(task, count)
    return slates, file.rows
