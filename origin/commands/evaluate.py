"""`attune evaluate`: how good the answers are, measured on what happened next."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from origin.commands.evaluate_drift import command as drift
from origin.commands.evaluate_ope import command as ope
from origin.commands.report import FigureTree, json_option, print_table, say, show
from origin.evaluation.figures import STRATA, Cell, Estimate, Ranks, cells, leads

if TYPE_CHECKING:
    from origin.evaluation.prequential import Fitter, Outcome

MODELS = ("fitted", "shipped", "plain")


@click.group("evaluate")
def command() -> None:
    """Measure quality on past events."""


command.add_command(drift)
command.add_command(ope)


@command.command("prequential")
@click.option(
    "--ratings",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="user::item::rating::timestamp, or the same with commas or tabs.",
)
@click.option(
    "--from",
    "first",
    default=20_001,
    type=click.IntRange(min=1),
    help="Number of the first evaluated event in the order of time; those before are the warm-up.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Evaluate so many events at most.")
@click.option(
    "--model",
    type=click.Choice(MODELS),
    default="fitted",
    help="The ranker: fitted to the warm-up, shipped in models/onnx, or the plain rule.",
)
@click.option("--seed", default=0, help="Of the ranker that is fitted.")
@json_option
def prequential(
    ratings: Path, first: int, limit: int | None, model: str, seed: int, as_json: bool
) -> None:
    """Ask before every event, then learn it; compare attune with live baselines.

    Every method ranks all items seen so far that the user does not have. What is fitted, is fitted
    on the warm-up alone.
    """
    from origin.commands.replay_learning import learn
    from origin.evaluation.prequential import ATTUNE, evaluated
    from origin.evaluation.ratings import RatingsError, read_ratings
    from origin.plain_ranker import PlainRanker

    started_s = time.monotonic()
    try:
        events = read_ratings(ratings)
    except RatingsError as error:
        raise click.ClickException(str(error)) from error
    if first > len(events):
        raise click.ClickException(f"--from {first}: {ratings} holds only {len(events)} events")
    events = events if limit is None else events[: first - 1 + limit]
    fitter = fitter_of(model, seed, events[first - 1].occurred_at_ms)
    with progress_of(as_json=as_json) as progress:
        outcome = evaluated(events, first - 1, learn, PlainRanker(), fitter, progress)
    figures: dict[str, FigureTree] = {
        "ratings": str(ratings),
        "events": len(events),
        "evaluated_from": first,
        "evaluated": len(outcome.ranks.users),
        "model": outcome.model,
        "fitted_on": "weights and blends: events before the first evaluated one; counters and"
        " embeddings learn on; the design was chosen by people who saw later events of"
        " MovieTweetings (docs/evaluation.md)",
        "blends": dict(outcome.blends),
        **compared(outcome.ranks, ATTUNE),
        "seconds": round(time.monotonic() - started_s, 1),
    }
    if as_json:
        show(figures, as_json=True, title="")
    else:
        tell(outcome, figures)


def fitter_of(model: str, seed: int, evaluated_from_ms: int) -> "Fitter":
    """Return how the ranker is made."""
    from origin.evaluation.shipped import PlainModel, ShippedModel
    from origin.model_manifest import ModelError
    from origin.settings import Settings

    if model == "plain":
        return PlainModel()
    if model == "shipped":
        try:
            return ShippedModel(Settings.from_environment().models, evaluated_from_ms)
        except ModelError as error:
            raise click.ClickException(str(error)) from error
    try:
        from origin.training.fitting import RankerFitter
    except ModuleNotFoundError as error:
        message = f"fitting needs {error.name}: pip install 'attune[train]', or --model shipped"
        raise click.ClickException(message) from error
    return RankerFitter(seed)


def compared(ranks: Ranks, method: str) -> dict[str, FigureTree]:
    """Return every method's figures in every stratum, and the method's lead."""
    table = cells(ranks)
    ahead = leads(ranks, method)
    return {
        "methods": {
            name: {stratum: cell_figures(cell) for stratum, cell in row.items()}
            for name, row in table.items()
        },
        "lead": {
            stratum: {"over": lead.over, "ndcg_at_10": bounds(lead.ndcg)}
            for stratum, lead in ahead.items()
        },
        "ahead_everywhere": all(lead.ndcg.mean > 0 for lead in ahead.values()),
    }


def cell_figures(cell: Cell) -> dict[str, FigureTree]:
    """Return a cell's figures under their names."""
    ndcg, hit_rate = bounds(cell.ndcg), bounds(cell.hit_rate)
    return {
        "ndcg_at_10": ndcg["mean"],
        "ndcg_at_10_low": ndcg["low"],
        "ndcg_at_10_high": ndcg["high"],
        "hr_at_10": hit_rate["mean"],
        "hr_at_10_low": hit_rate["low"],
        "hr_at_10_high": hit_rate["high"],
        "events": cell.events,
    }


def bounds(estimate: Estimate) -> dict[str, float]:
    """Return mean and 95 % interval, rounded."""
    return {name: round(value, 4) for name, value in asdict(estimate).items()}


def tell(outcome: "Outcome", figures: Mapping[str, FigureTree]) -> None:
    """Print the comparison for people."""
    from origin.evaluation.prequential import ATTUNE

    table = cells(outcome.ranks)
    rows = [
        {"method": name.replace("_", " ")} | {stratum: shown(row[stratum]) for stratum in STRATA}
        for name, row in table.items()
    ]
    counts = {stratum: f"{table[ATTUNE][stratum].events:,}" for stratum in STRATA}
    rows.append({"method": "events"} | counts)
    print_table(rows, title="NDCG@10 / HR@10, ± half a 95 % interval of NDCG")
    print_table(
        [
            {
                "stratum": stratum,
                "best of the others": lead.over.replace("_", " "),
                "attune ahead by": f"{lead.ndcg.mean:+.4f}",
                "95 % interval": f"{lead.ndcg.low:+.4f} to {lead.ndcg.high:+.4f}",
            }
            for stratum, lead in leads(outcome.ranks, ATTUNE).items()
        ],
        title="attune's lead in NDCG@10, event by event",
    )
    say(f"Model: {outcome.model}. Took {figures['seconds']} s.")


def shown(cell: Cell) -> str:
    """Return a cell as people read it."""
    margin = cell.ndcg.high - cell.ndcg.mean
    return f"{cell.ndcg.mean:.4f} / {cell.hit_rate.mean:.4f} ±{margin:.4f}"


@contextmanager
def progress_of(*, as_json: bool) -> Generator[Callable[[str, int, int], None]]:
    """Yield a callback that shows what is done, how much of it, and of how much."""
    from rich.progress import TaskID

    from origin.commands.filling import progress_bar

    tasks: dict[str, TaskID] = {}
    with progress_bar(as_json=as_json) as bar:

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        yield progress
