"""`attune bench bandit`: regret of our bandits beside others."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, print_table, say, show

if TYPE_CHECKING:
    from origin.bench.bandit import Mean, Run

NAMES = (
    "uniform-64",
    "uniform-1000",
    "clicks-64",
    "clicks-256",
    "clicks-1000",
    "drift-64",
    "context-64",
)


@click.command("bandit")
@click.option(
    "--environment",
    "environments",
    multiple=True,
    type=click.Choice(NAMES),
    help="Only these; may be given several times.  [default: all]",
)
@click.option("--pulls", default=100_000, type=click.IntRange(100, 10_000_000), help="Of each run.")
@click.option("--seeds", default=8, type=click.IntRange(1, 1000), help="Runs of each method.")
@click.option(
    "--batch", default=1, type=click.IntRange(1, 100_000), help="Rewards arrive so many at a time."
)
@click.option(
    "--vowpal-seeds",
    default=3,
    type=click.IntRange(0, 1000),
    help="Runs of Vowpal Wabbit (extra `bench`); 0 leaves it out.",
)
@click.option(
    "--vowpal-pulls", default=20_000, type=click.IntRange(100, 10_000_000), help="Of each of them."
)
@click.option(
    "--processes", type=click.IntRange(1, 256), help="Side by side.  [default: one per core]"
)
@json_option
def command(
    environments: tuple[str, ...],
    pulls: int,
    seeds: int,
    batch: int,
    vowpal_seeds: int,
    vowpal_pulls: int,
    processes: int | None,
    as_json: bool,
) -> None:
    """Regret after 10,000, 20,000 and 100,000 pulls, in worlds whose click rates are known.

    What the worlds and methods are: docs/benchmarks.md.
    """
    from importlib.util import find_spec

    from origin.bench.bandit import jobs, run_all
    from origin.commands.filling import progress_bar

    if vowpal_seeds and find_spec("vowpalwabbit") is None:
        say("Without Vowpal Wabbit: pip install 'attune[bench]'", as_json=as_json)
        vowpal_seeds = 0
    waiting = jobs(
        environments or NAMES,
        seeds=seeds,
        pulls=pulls,
        batch=batch,
        vowpal_seeds=vowpal_seeds,
        vowpal_pulls=vowpal_pulls,
    )
    with progress_bar(as_json=as_json) as bar:
        task = bar.add_task("runs", total=len(waiting))
        runs = run_all(
            waiting,
            processes or os.cpu_count() or 1,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    figures: dict[str, FigureTree] = {
        "pulls": pulls,
        "seeds": seeds,
        "batch": batch,
        "vowpal_seeds": vowpal_seeds,
        "environments": {
            name: figures_of(name, [run for run in runs if run.job.environment == name])
            for name in environments or NAMES
        },
    }
    if as_json:
        show(figures, as_json=True, title="")
        return
    for name in environments or NAMES:
        tell(name, [run for run in runs if run.job.environment == name])


def figures_of(name: str, runs: "Sequence[Run]") -> dict[str, FigureTree]:
    """Return an environment's figures: every method's, and how far ours is from each."""
    from origin.bench.bandit import ENVIRONMENTS, lead, mean_of

    ours = ENVIRONMENTS[name].ours
    found: dict[str, FigureTree] = {"ours": ours}
    for method in dict.fromkeys(run.job.method for run in runs):
        own = [run for run in runs if run.job.method == method]
        marks = sorted(own[0].regret)
        found[method] = {
            "regret_percent": {
                str(mark): rounded(mean_of([run.regret[mark] for run in own])) for mark in marks
            },
            "ours_minus_this": {
                str(mark): rounded(difference)
                for mark in marks
                if method != ours and (difference := lead(runs, ours, method, mark)) is not None
            },
            "choose_us": round(mean_of([run.choose_us for run in own]).mean, 1),
            "learn_us": round(mean_of([run.learn_us for run in own]).mean, 1),
            "learn_p99_us": round(max(run.learn_p99_us for run in own), 1),
        }
    return found


def rounded(mean: "Mean") -> dict[str, FigureTree]:
    """Return a mean under its names."""
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in asdict(mean).items()
    }


def tell(name: str, runs: "Sequence[Run]") -> None:
    """Print an environment's table."""
    from origin.bench.bandit import mean_of

    marks = sorted({mark for run in runs for mark in run.regret})
    rows: list[dict[str, FigureTree]] = []
    for method in dict.fromkeys(run.job.method for run in runs):
        own = [run for run in runs if run.job.method == method]
        row: dict[str, FigureTree] = {"method": method.replace("_", " ")}
        for mark in marks:
            reached = [run.regret[mark] for run in own if mark in run.regret]
            row[f"{mark:,}"] = shown(mean_of(reached)) if reached else "-"
        row["choose us"] = round(mean_of([run.choose_us for run in own]).mean, 1)
        row["learn us"] = round(mean_of([run.learn_us for run in own]).mean, 1)
        rows.append(row)
    print_table(rows, title=f"{name}: regret in % of the best, ± standard error over seeds")


def shown(mean: "Mean") -> str:
    """Return a mean as people read it."""
    error = "" if mean.standard_error is None else f" ±{mean.standard_error:.1f}"
    return f"{mean.mean:.1f}{error}"
