"""``attune bench edge``: what an answer costs at the edge, and how fast the edge starts."""

from typing import cast

import click

from origin.commands.report import FigureTree, json_option, show, show_rows


@click.command("edge")
@click.option(
    "--requests", type=click.IntRange(800), default=4_000, help="Answers of each kind to measure."
)
@click.option(
    "--cold-starts",
    type=click.IntRange(0),
    default=10,
    help="Cold starts of each kind; 0 for none.",
)
@json_option
def command(requests: int, cold_starts: int, as_json: bool) -> None:
    """Measure slates from bundles in memory beside an answer from JavaScript alone.

    Milliseconds as a client sees them, processor time of the workerd process per answer, answers
    per second, each stage's share; then cold starts, sizes and memory.
    """
    from origin.bench.edge import ROUNDS, measured_edge
    from origin.bench.edge_cold import measured_cold_start
    from origin.commands.filling import progress_bar
    from origin.edge_server import EdgeError

    figures: dict[str, FigureTree] = {"bench": "edge", "requests": requests}
    with progress_bar(as_json=as_json) as bar:
        task = bar.add_task("answers", total=ROUNDS)
        try:
            warm = measured_edge(requests, lambda done: bar.update(task, completed=done))
            figures |= cast("dict[str, FigureTree]", warm.figures())
            if cold_starts:
                cold = bar.add_task("cold starts", total=cold_starts)
                starts = measured_cold_start(
                    cold_starts, lambda done: bar.update(cold, completed=done)
                )
                figures["cold_start"] = cast("FigureTree", starts.figures())
        except (EdgeError, OSError) as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        show(figures, as_json=True, title="")
        return
    kinds = [name for name in figures if name == "bare_javascript" or name.startswith("hit_")]
    rows = [{"answer": name} | cast("dict[str, FigureTree]", figures[name]) for name in kinds]
    show_rows(rows, as_json=False, title="One answer at the edge")
    rest = {name: value for name, value in figures.items() if name not in kinds}
    show(rest, as_json=False, title="Ratios, stages, start, weight")
