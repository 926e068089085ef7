"""``attune bench cache``: slates answered without waiting for the origin, and with it half dead."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from origin.commands.report import FigureTree, json_option, show, show_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attune.contract.event import Interaction
    from attune.contract.item import Item


@click.command("cache")
@click.option("--visits", type=click.IntRange(10), default=4_000, help="Page views per run.")
@click.option(
    "--compression", type=click.FloatRange(1.0, 100.0), default=10.0,
    help="How much shorter bundles live than the 60 s that they are fresh.",
)  # fmt: skip
@click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that holds movies.dat and ratings.dat.",
)
@click.option(
    "--data",
    envvar="ATTUNE_DATA",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder of data sets, searched for a movietweetings folder.",
)
@click.option(
    "--home",
    envvar="ATTUNE_HOME",
    default=".attune",
    type=click.Path(file_okay=False, path_type=Path),
    help="Downloads are kept under its datasets folder.",
)
@json_option
def command(
    visits: int,
    compression: float,
    path: Path | None,
    data: Path | None,
    home: Path,
    as_json: bool,
) -> None:
    """Replay MovieTweetings as visits against the built edge worker.

    Two runs: with a healthy origin, and with one that is dead half of the time.
    """
    from origin.bench.cache import Plan, replayed
    from origin.commands.dataset import films_folder
    from origin.commands.filling import progress_bar
    from origin.dataset.rows import DatasetError
    from origin.edge_server import EdgeError

    try:
        folder = films_folder(path, data, home, download=False, as_json=as_json)
        films, events = _stream(folder)
    except DatasetError as error:
        raise click.ClickException(str(error)) from error
    runs: dict[str, dict[str, FigureTree]] = {}
    with progress_bar(as_json=as_json) as bar:
        for name, dead_share in (("origin_alive", 0.0), ("origin_half_dead", 0.5)):
            task = bar.add_task(name.replace("_", " "), total=visits)
            plan = Plan(films, events, visits, compression, dead_share)
            try:
                replay = replayed(plan, lambda done, task=task: bar.update(task, completed=done))
            except EdgeError as error:
                raise click.ClickException(str(error)) from error
            runs[name] = cast("dict[str, FigureTree]", replay.figures())
    if as_json:
        head: dict[str, FigureTree] = {"bench": "cache", "visits": visits}
        show({**head, "compression": compression, **runs}, as_json=True, title="")
        return
    figures = next(iter(runs.values()))
    rows = [
        {"figure": figure.replace("_", " ")}
        | {name.replace("_", " "): _cell(found[figure]) for name, found in runs.items()}
        for figure in figures
    ]
    show_rows(rows, as_json=False, title="Slates answered without waiting for the origin")


def _cell(value: FigureTree) -> FigureTree:
    if not isinstance(value, dict):
        return value
    return ", ".join(f"{name} {each}" for name, each in cast("dict[str, object]", value).items())


def _stream(folder: Path) -> "tuple[Sequence[Item], Sequence[Interaction]]":
    from origin.dataset import movietweetings as films
    from origin.dataset.loading import Reading, RejectsFile, Summary
    from origin.dataset.records import event_key

    with (
        tempfile.TemporaryDirectory() as passing,
        RejectsFile(Path(passing) / "rejects.jsonl", folder) as rejected,
    ):
        items = Reading(films.movie_of, lambda item: item.item_id)
        events = Reading(films.Ratings().interaction_of, event_key)
        return (
            list(items.records(films.item_rows(folder), Summary(), rejected)),
            list(events.records(films.event_rows(folder), Summary(), rejected)),
        )
