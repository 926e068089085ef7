"""`attune simulate`: our slates beside simpler ones, in a storefront whose optimum is known."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, print_table, say, show

if TYPE_CHECKING:
    from origin.simulation.runs import Run
    from origin.simulation.shop import World

BLOCKS = "▁▂▃▄▅▆▇█"
SHOWN = {
    "regret_percent": "regret %",
    "late_regret_percent": "last quarter",
    "cold_visitor_regret_percent": "cold visitors",
    "exploration_rate": "explored",
}


@click.command("simulate")
@click.option("--slates", default=10_000, type=click.IntRange(40, 10_000_000), help="Of each run.")
@click.option("--seeds", default=3, type=click.IntRange(1, 1000), help="Runs of each policy.")
@click.option("--items", default=600, type=click.IntRange(50, 20_000), help="In the catalogue.")
@click.option("--visitors", default=300, type=click.IntRange(1, 1_000_000), help="Who come back.")
@click.option(
    "--drift",
    default=0.0,
    type=click.FloatRange(0.0, 1.0),
    help="Share of items that turn better or worse at half time.",
)
@click.option(
    "--launches",
    default=0.0,
    type=click.FloatRange(0.0, 0.9),
    help="Share of items that are only for sale from half time on.",
)
@click.option("--n", "length", default=8, type=click.IntRange(1, 40), help="Positions of a slate.")
@click.option(
    "--processes", type=click.IntRange(1, 256), help="Side by side.  [default: one per core]"
)
@json_option
def command(
    slates: int,
    seeds: int,
    items: int,
    visitors: int,
    drift: float,
    launches: float,
    length: int,
    processes: int | None,
    as_json: bool,
) -> None:
    """Regret, exploration and lift of serving policies over simulated visits.

    Visitors' tastes move with every click, and every slate's expected clicks are known, as are
    those of the best slate. What the policies are: docs/evaluation.md.
    """
    from origin.simulation.shop import World

    world = World(items, visitors, slates, drift, launches, length)
    runs = run_all(world, seeds, processes or os.cpu_count() or 1, as_json=as_json)
    figures: dict[str, FigureTree] = {
        **asdict(world),
        "seeds": seeds,
        "policies": {name: figures_of(name, runs) for name in runs},
    }
    if as_json:
        show(figures, as_json=True, title="")
    else:
        tell(runs)


def run_all(
    world: "World", seeds: int, processes: int, *, as_json: bool
) -> "Mapping[str, Sequence[Run]]":
    """Return every policy's runs, one per seed."""
    from origin.commands.filling import progress_bar
    from origin.simulation.policies import POLICIES
    from origin.simulation.runs import Run, simulated

    jobs = [(name, seed) for name in POLICIES for seed in range(seeds)]
    found: dict[tuple[str, int], Run] = {}
    with progress_bar(as_json=as_json) as bar:
        if processes == 1:
            task = bar.add_task("slates", total=len(jobs) * world.slates)
            for done, (name, seed) in enumerate(jobs):
                start = done * world.slates
                found[name, seed] = simulated(
                    world, name, seed, lambda n, s=start: bar.update(task, completed=s + n)
                )
        else:
            task = bar.add_task("runs", total=len(jobs))
            with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
                waiting = {pool.submit(simulated, world, *job): job for job in jobs}
                for run in as_completed(waiting):
                    found[waiting[run]] = run.result()
                    bar.advance(task)
    return {name: [found[name, seed] for seed in range(seeds)] for name in POLICIES}


def figures_of(name: str, runs: "Mapping[str, Sequence[Run]]") -> dict[str, FigureTree]:
    """Return a policy's figures: means over seeds, leads seed by seed, and its course."""
    from origin.bench.bandit import mean_of
    from origin.simulation.runs import curve, summary

    own, greedy = summary(runs[name]), summary(runs["greedy"])["regret_percent"]
    differences = [a - b for a, b in zip(own["regret_percent"], greedy, strict=True)]
    figures: dict[str, FigureTree] = {
        key: {k: rounded(v) for k, v in asdict(mean_of(list(values))).items()}
        for key, values in own.items()
    }
    figures["regret_minus_greedy"] = {
        k: rounded(v) for k, v in asdict(mean_of(differences)).items()
    }
    figures["curve"] = [
        {k: rounded(v) for k, v in asdict(point).items()}
        for point in curve(runs[name], runs["random"])
    ]
    return figures


def rounded(value: float | None) -> float | None:
    """Return a figure without false precision."""
    return round(value, 4) if isinstance(value, float) else value


def tell(runs: "Mapping[str, Sequence[Run]]") -> None:
    """Print the comparison for people."""
    from origin.bench.bandit import mean_of
    from origin.simulation.runs import curve, lift, summary

    rows: list[dict[str, FigureTree]] = []
    for name, own in runs.items():
        found = summary(own)
        row: dict[str, FigureTree] = {"policy": name.replace("_", " ")}
        for key, title in SHOWN.items():
            mean = mean_of(list(found[key]))
            digits = 2 if key == "exploration_rate" else 1
            error = "" if mean.standard_error is None else f" ±{mean.standard_error:.{digits}f}"
            row[title] = f"{mean.mean:.{digits}f}{error}"
        row["lift on random %"] = f"{lift(own, runs['random'], slice(None)):+.0f}"
        row["regret over time"] = drawing(
            [point.regret_percent for point in curve(own, runs["random"])][::2]
        )
        rows.append(row)
    print_table(rows, title="Expected clicks missed, in % of the best slates'")
    launched = [name for name in runs if runs[name][0].launched.any()]
    if launched:
        best = mean_of(list(summary(runs[launched[0]])["launched_share_of_best"])).mean
        means = {name: mean_of(list(summary(runs[name])["launched_share"])) for name in launched}
        shares = ", ".join(f"{name.replace('_', ' ')} {m.mean:.0%}" for name, m in means.items())
        say(f"Positions given to new items since their launch: {shares}; best slates {best:.0%}.")


def drawing(values: Sequence[float]) -> str:
    """Return numbers from 0 to 100 as a line of blocks.

    >>> drawing([0.0, 50.0, 100.0])
    '▁▄█'
    """
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[min(max(int(value / 100.0 * top), 0), top)] for value in values)
