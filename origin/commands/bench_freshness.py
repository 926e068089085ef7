"""``attune bench freshness``: from an event to the next bundle, under load."""

import os
import platform
import signal
import tempfile
from pathlib import Path

import click

from origin.commands.bench_loop import percentile
from origin.commands.report import Figure, FigureTree, json_option, say, show, show_rows


@click.command("freshness")
@click.option("--probes", type=click.IntRange(1), default=200, help="Events timed at each rate.")
@click.option(
    "--rate",
    "rates",
    type=click.IntRange(1),
    multiple=True,
    default=(1_000, 10_000),
    help="Events of others per second; may be given repeatedly.",
)
@json_option
def command(probes: int, rates: tuple[int, ...], as_json: bool) -> None:
    """Measure how soon an event is visible in its user's next bundle while others act."""
    from origin.bench.freshness import measured_freshness
    from origin.demo.processes import ProcessError
    from origin.event_log.broker.process import BrokerError

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop the processes, then end
    load_average = round(os.getloadavg()[0], 2)
    say(f"Measuring {probes} events at {', '.join(map(str, rates))} events/s ...", as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="attune-bench-") as home:
        try:
            found = measured_freshness(rates, probes, Path(home), os.environ)
        except (ProcessError, BrokerError) as error:
            raise click.ClickException(str(error)) from error
    rows: list[dict[str, Figure]] = [
        {
            "wanted_per_s": one.wanted_per_s,
            "appended_per_s": one.appended_per_s,
            "p50_ms": percentile(one.visible_ms, 50),
            "p95_ms": percentile(one.visible_ms, 95),
            "p99_ms": percentile(one.visible_ms, 99),
            "accepted_p50_ms": percentile(one.accepted_ms, 50),
            "seen": len(one.visible_ms),
            "missed": one.missed,
            "behind": one.behind,
        }
        for one in found
    ]
    if as_json:
        run: dict[str, FigureTree] = {
            "bench": "freshness",
            "probes": probes,
            "machine": f"{os.cpu_count()} x {platform.machine()}",
            "load_average_before": load_average,
            "rates": rows,
        }
        show(run, as_json=True, title="")
    else:
        show_rows(rows, as_json=False, title="Event posted -> visible in its user's next bundle")
