"""`attune evaluate drift`: how often the drift monitor errs, and how late it is."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, print_table, say, show

if TYPE_CHECKING:
    from origin.drift import Sample
    from origin.evaluation.drift import Alarms, Progress
    from origin.evaluation.drift_replay import Past
    from origin.evaluation.drift_synthetic import Shift

LOOKS = {"population": 120, "features": 120, "reward": 10_080}
"""Looks at a stream in which nothing moves; of the rewards, whose test never forgets, a week's."""

MOVED_AT = {"population": 10, "features": 10, "reward": 200}
LOOKS_AFTER = {"population": 30, "features": 30, "reward": 400}
SHIFTS = {"population": (0.3, 0.6, 1.0), "features": (0.3, 0.6, 1.0), "reward": (0.1, 0.2, 0.4)}
WARM_UP_SHARE = 4
"""The first one of so many parts of a ratings file teaches the embeddings alone."""


@click.command("drift")
@click.option(
    "--ratings",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Replay these as well: user::item::rating::timestamp, or with commas or tabs.",
)
@click.option(
    "--stretch", "length", default=15_000, type=click.IntRange(min=6_000),
    help="Events of the file between two recalibrations.",
)  # fmt: skip
@click.option("--streams", default=10, type=click.IntRange(1, 1_000), help="Of each kind.")
@click.option("--seed", default=0, help="Of streams and orders.")
@json_option
def command(ratings: Path | None, length: int, streams: int, seed: int, as_json: bool) -> None:
    """Count the drift monitor's alarms where nothing moves, and its delay where something does.

    Synthetic streams, and with --ratings stretches of past events: as they came, in random order
    (nothing moves), and with all items exchanged half-way.
    """
    from origin.commands.evaluate import progress_of

    started_s = time.monotonic()
    past = None if ratings is None else read(ratings, length)
    with progress_of(as_json=as_json) as progress:
        calm, moved = synthetic(streams, seed, progress)
        replayed = {} if past is None else replay(past, length, seed, progress)
    figures: dict[str, FigureTree] = {
        "streams": streams,
        "synthetic": {"false_alarms": calm, "shifts": moved},
        "ratings": None if ratings is None else str(ratings),
        "replay": replayed or None,
        "seconds": round(time.monotonic() - started_s, 1),
    }
    if as_json:
        show(figures, as_json=True, title="")
        return
    print_table(flat(calm), title="Synthetic streams in which nothing moves")
    print_table(flat(moved), title="Synthetic shifts; delays in looks (one a minute)")
    for title, rows in replayed.items():
        print_table(flat(rows), title=f"Ratings, {title.replace('_', ' ')}; a look per 100 events")
    say(f"Took {figures['seconds']} s.")


Row = Mapping[str, FigureTree]


def flat(rows: Mapping[str, Row]) -> list[Row]:
    """Return named rows with their names in the first column."""
    return [{"test": name.replace("_", " ")} | dict(row) for name, row in rows.items()]


def read(ratings: Path, length: int) -> "Past":
    """Return the file's events; refuse one that is too short for a stretch."""
    from origin.evaluation.drift_replay import Past
    from origin.evaluation.ratings import RatingsError, read_ratings

    try:
        events = read_ratings(ratings)
    except RatingsError as error:
        raise click.ClickException(str(error)) from error
    if len(events) < length * 4 // 3 + 1:
        raise click.ClickException(
            f"--stretch {length}: {ratings} holds only {len(events)} events, a quarter of which"
            " is for learning embeddings"
        )
    return Past.of(events)


def synthetic(
    streams: int, seed: int, progress: "Progress"
) -> tuple[dict[str, Row], dict[str, Row]]:
    """Return the false alarms of each test, and what it found of each shift."""
    from origin.evaluation.drift import TESTS, detection

    calm: dict[str, Row] = {}
    moved: dict[str, Row] = {}
    for test in TESTS:
        made, at = makers()[test], MOVED_AT[test]
        length = at + LOOKS_AFTER[test]
        runs = watched_all(partial(made, LOOKS[test]), 0.0, 0, streams, seed, progress, test)
        rows = calm_rows(runs)
        calm |= {name: row for name, row in rows.items() if name.startswith(test.rstrip("s"))}
        for size in SHIFTS[test]:
            name = f"{test}_{size:g}"
            runs = watched_all(partial(made, length), size, at, streams, seed, progress, name)
            moved[name] = asdict(detection(runs, test, at))
    return calm, moved


Maker = Callable[[int, "Shift", int], Iterator["Sample"]]


def makers() -> dict[str, Maker]:
    """Return what makes the streams for each test."""
    from origin.evaluation import drift_synthetic as made

    return {
        "population": made.users_stream,
        "features": made.features_stream,
        "reward": made.rewards_stream,
    }


def watched_all(
    made: Callable[["Shift", int], Iterator["Sample"]],
    size: float, at: int, streams: int, seed: int, progress: "Progress", name: str,
) -> list["Alarms"]:  # fmt: skip
    """Return the alarms over streams with a shift of a size at a look; each has its own seed."""
    from origin.evaluation.drift import watched
    from origin.evaluation.drift_synthetic import Shift

    runs: list[Alarms] = []
    shift = Shift(at, users=size, feature=size, reward=size)
    for number in range(streams):
        runs.append(watched(made(shift, seed * 1_000 + number)))
        progress(name.replace("_", " "), number + 1, streams)
    return runs


def calm_rows(runs: list["Alarms"]) -> dict[str, Row]:
    """Return the rows of tests on streams in which nothing should move, single features too."""
    from origin.evaluation.drift import false_alarms

    rows: dict[str, Row] = {}
    for test in runs[0].alarmed:
        found = false_alarms(runs, test)
        rows[test] = asdict(found) | {"rate": round(found.rate, 4)}
    return rows


def replay(past: "Past", length: int, seed: int, progress: "Progress") -> dict[str, dict[str, Row]]:
    """Return the alarms on stretches of the file: as they came, in random order, exchanged."""
    from origin.evaluation.drift import TESTS, Alarms, detection, watched
    from origin.evaluation.drift_replay import (
        EVENTS_PER_LOOK,
        SLATES,
        exchanged,
        looks,
        shuffled,
        stretch,
    )

    half = length * 3 // 4
    starts = range(len(past.users) // WARM_UP_SHARE, len(past.users) - length + 1, length)
    runs: dict[str, list[Alarms]] = {"as_they_came": [], "in_random_order": [], "exchanged": []}
    for number, start in enumerate(starts):
        came = stretch(past, start, length)
        calm = shuffled(came, seed + number)
        runs["as_they_came"].append(watched(looks(came)))
        runs["in_random_order"].append(watched(looks(calm)))
        runs["exchanged"].append(watched(looks(exchanged(calm, half, seed + number))))
        progress("ratings", number + 1, len(starts))
    # The first look is the one that has enough slates.
    at = (half - SLATES) // EVENTS_PER_LOOK + 1
    found: dict[str, Row] = {test: asdict(detection(runs["exchanged"], test, at)) for test in TESTS}
    return {
        "in_random_order": calm_rows(runs["in_random_order"]),
        "as_they_came": calm_rows(runs["as_they_came"]),
        "items_exchanged": found,
    }
