"""``attune bench soak``: minutes of steady load on an edge."""

import os
import platform
import signal

import click

from origin.commands.report import json_option, show


@click.command("soak")
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), default=10.0, help="Of steady load."
)
@click.option(
    "--load",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.7,
    help="Share of the capacity, which is measured first.",
)
@click.option("--origin-url", default="", help="A running origin; without one a stand-in answers.")
@json_option
def command(minutes: float, load: float, origin_url: str, as_json: bool) -> None:
    """Keep an edge under steady load; report errors, latency, and whether its memory stays flat."""
    from origin.bench.soak import measured_soak
    from origin.commands.filling import progress_bar
    from origin.edge_server import EdgeError

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop the processes, then end
    load_average = round(os.getloadavg()[0], 2)
    with progress_bar(as_json=as_json) as progress:
        task = progress.add_task("Under load", total=round(minutes * 60))
        try:
            found = measured_soak(
                minutes,
                load,
                origin_url=origin_url,
                tell=lambda seconds: progress.advance(task, seconds),
            )
        except EdgeError as error:
            raise click.ClickException(str(error)) from error
    run = {
        "bench": "soak",
        "load": load,
        "machine": f"{os.cpu_count()} x {platform.machine()}",
        "load_average_before": load_average,
    }
    show(run | found.figures(), as_json=as_json, title="An edge under steady load")
