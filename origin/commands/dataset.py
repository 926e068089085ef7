"""`attune dataset`: ready-made data to start with."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, say, show

if TYPE_CHECKING:
    from attune.contract.event import Event, Interaction
    from attune.contract.item import Item
    from origin.commands.filling import Destination

CACHE = "datasets"


@click.group("dataset")
def command() -> None:
    """Load a ready-made data set: items, and events that are learned before it returns.

    Loading the same data again changes nothing.
    """


@command.command("movietweetings")
@click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that holds movies.dat and ratings.dat.",
)
@click.option("--download", is_flag=True, help="Download, even where a local copy was found.")
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
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), hidden=True)
@click.option(
    "--keep-times",
    is_flag=True,
    help="Keep the times of 2013; else the newest rating is moved to today, the rest with it.",
)
@json_option
def movietweetings(
    path: Path | None,
    download: bool,
    data: Path | None,
    home: Path,
    rejects: Path | None,
    keep_times: bool,
    as_json: bool,
) -> None:
    """60,000 ratings of 8,136 films from Twitter, spring 2013 (S. Dooms, MIT licence).

    Looks in --path; without one in --data, then among earlier downloads, then downloads. A rating
    of 9-10 becomes a purchase, 7-8 a click, 5-6 a view, less a dismissal.
    """
    from origin.dataset import movietweetings as films
    from origin.dataset.loading import Reading, RejectsFile, Summary
    from origin.dataset.records import event_key
    from origin.dataset.rows import DatasetError

    items_summary, events_summary = Summary(), Summary()
    try:
        folder = films_folder(path, data, home, download=download, as_json=as_json)
        with RejectsFile(rejects or Path("movietweetings.rejects.jsonl"), folder) as rejected:
            items = list(
                Reading(films.movie_of, lambda item: item.item_id).records(
                    films.item_rows(folder), items_summary, rejected
                )
            )
            events = list(
                Reading(films.Ratings().interaction_of, event_key).records(
                    films.event_rows(folder), events_summary, rejected
                )
            )
    except DatasetError as error:
        raise click.ClickException(str(error)) from error
    if not keep_times:
        events = moved_to_today(events)
    figures = load_all(items, events, len(events), as_json=as_json)
    counted = {
        f"{kind}_{name}": value
        for kind, summary in (("items", items_summary), ("events", events_summary))
        for name, value in asdict(summary).items()
    }
    show(counted | figures, as_json=as_json, title="MovieTweetings")


def films_folder(
    path: Path | None, data: Path | None, home: Path, *, download: bool, as_json: bool
) -> Path:
    """Return the folder with the data set's two files; download them if they are nowhere."""
    from origin.dataset import movietweetings as films
    from origin.dataset.download import fetch
    from origin.dataset.rows import DatasetError

    wanted = (films.ITEMS_FILE, films.EVENTS_FILE)
    if path is not None:
        missing = [name for name in wanted if not (path / name).is_file()]
        if missing:
            raise DatasetError(f"{path} does not hold {' and '.join(missing)}")
        return path
    places = [] if data is None or download else [data / "movietweetings", data]
    for place in places:
        if all((place / name).is_file() for name in wanted):
            return place
    cache = home / CACHE / "movietweetings"
    return fetch(films.FILES, cache, lambda sentence: say(sentence, as_json=as_json))


def moved_to_today(events: "list[Interaction]") -> "list[Interaction]":
    """Return the events moved by whole days, so that the newest happened within the last day.

    Trends forget within days: next to a live click, ratings of 2013 would all count as nothing.
    """
    day_ms = 86_400_000
    newest = max((event.occurred_at_ms for event in events), default=0)
    shift = (time.time_ns() // 1_000_000 - newest) // day_ms * day_ms
    return [replace(event, occurred_at_ms=event.occurred_at_ms + shift) for event in events]


@command.command("storefront")
@click.option(
    "--items", default=600, type=click.IntRange(24, 20_000), help="Size of the catalogue."
)
@click.option("--visitors", default=400, type=click.IntRange(1, 100_000), help="Who comes.")
@click.option("--visits", default=2_000, type=click.IntRange(0, 200_000), help="Visits so far.")
@click.option("--days", default=28, type=click.IntRange(1, 365), help="Over how many days.")
@click.option("--seed", default=7, help="Another seed is another shop.")
@json_option
def storefront(items: int, visitors: int, visits: int, days: int, seed: int, as_json: bool) -> None:
    """A synthetic shop for the home: drawn items, and a past of simulated visits.

    The visitors' shifting tastes are known to the simulation alone, so that regret can be measured.
    The past ends now; the same seed gives the same shop.
    """
    from origin.dataset.storefront import build_storefront
    from origin.dataset.storefront_history import history
    from origin.dataset.visitors import Environment

    shop = build_storefront(seed, items)
    environment = Environment(shop, visitors, seed)
    say(f"Simulating {visits:,} visits", as_json=as_json)
    past = list(history(environment, visits, time.time_ns() // 1_000_000, days))
    figures = load_all(shop.items, past, len(past), as_json=as_json)
    counted = {"items": len(shop.items), "events": len(past), "visits": visits}
    show(counted | figures, as_json=as_json, title="Synthetic storefront")


def load_all(
    items: "Iterable[Item]", events: "Iterable[Event]", count: int, *, as_json: bool
) -> dict[str, FigureTree]:
    """Write the items, append the events, and learn them; return what was new and the time."""
    from origin.commands.filling import fill

    started_s = time.monotonic()
    new = fill(lambda destination: _load_all(destination, items, events, count, as_json))
    return {"new_items": new, "seconds": round(time.monotonic() - started_s, 2)}


async def _load_all(
    destination: "Destination",
    items: "Iterable[Item]",
    events: "Iterable[Event]",
    count: int,
    as_json: bool,
) -> int:
    """Do the work of `load_all` on an open destination."""
    from origin.commands import filling

    new = 0

    async def write_items(batch: "Sequence[Item]") -> None:
        nonlocal new
        # Without embeddings: the refresh after learning gives them, and writing each twice into
        # the vector index is a quarter of the time.
        new += await destination.store.put_items(batch, time.time_ns() // 1_000_000)

    async def write_events(batch: "Sequence[Event]") -> None:
        await filling.append_events(destination.log, batch)

    with filling.progress_bar(as_json=as_json) as bar:
        everything = list(items)
        writing = bar.add_task("Writing items", total=len(everything))
        await filling.write_all(
            everything, write_items, filling.ITEMS_PER_WRITE, lambda n: bar.advance(writing, n)
        )
        appending = bar.add_task("Appending events", total=count)
        await filling.write_all(
            events, write_events, filling.EVENTS_PER_APPEND, lambda n: bar.advance(appending, n)
        )
        learning = bar.add_task("Learning", total=count)
        await filling.learn_to_the_end(destination, lambda n: bar.advance(learning, n))
        bar.update(learning, completed=count)
        placing = bar.add_task("Placing items", total=1)
        await filling.refresh_embeddings(destination)
        bar.advance(placing)
    return new
