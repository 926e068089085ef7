"""``attune bench loop``: from an event to its effect on another session's slate."""

import os
import platform
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from origin.commands.report import Figure, FigureTree, json_option, say, show, show_rows


@click.command("loop")
@click.option("--events", type=click.IntRange(1), default=200, help="Events measured on each log.")
@click.option(
    "--background", type=click.IntRange(0), default=0, help="Other events per second meanwhile."
)
@click.option(
    "--log", "logs", type=click.Choice(["both", "embedded", "kafka"]), default="both",
    help="Which event log.",
)  # fmt: skip
@json_option
def command(events: int, background: int, logs: str, as_json: bool) -> None:
    """Measure how soon an event changes the slate of another session of its visitor."""
    from origin.bench.loop import LoopTimes, measured_loop
    from origin.demo.processes import ProcessError
    from origin.event_log.broker.process import BrokerError

    def figures(times: LoopTimes) -> dict[str, Figure]:
        return {
            "p50_ms": percentile(times.visible_ms, 50),
            "p95_ms": percentile(times.visible_ms, 95),
            "p99_ms": percentile(times.visible_ms, 99),
            "accepted_p50_ms": percentile(times.accepted_ms, 50),
            "question_p50_ms": percentile(times.question_ms, 50),
            "seen": len(times.visible_ms),
            "missed": times.missed,
        }

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop the processes, then end
    load_average = round(os.getloadavg()[0], 2)
    found: dict[str, dict[str, Figure]] = {}
    for log in ("embedded", "kafka") if logs == "both" else (logs,):
        say(f"Measuring {events} events on the {log} log ...", as_json=as_json)
        with tempfile.TemporaryDirectory(prefix="attune-bench-") as home:
            try:
                found[log] = figures(measured_loop(log, events, background, Path(home), os.environ))
            except (ProcessError, BrokerError) as error:
                raise click.ClickException(str(error)) from error
    if as_json:
        run: dict[str, FigureTree] = {
            "bench": "loop",
            "events": events,
            "background_per_s": background,
            "machine": f"{os.cpu_count()} x {platform.machine()}",
            "load_average_before": load_average,
        }
        show(run | found, as_json=True, title="")
    else:
        rows = [{"log": log, **row} for log, row in found.items()]
        show_rows(rows, as_json=False, title="Event posted -> visible in another session's slate")


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the smallest value that ``percent`` of the values do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[-(-len(ordered) * percent // 100) - 1], 1)
