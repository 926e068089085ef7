"""``attune demo``: the whole product on one machine, on embedded parts."""

import json
import os
import signal
import time
from pathlib import Path
from types import FrameType

import click

from origin.commands.report import json_option


@click.command("demo")
@click.option("--check", is_flag=True, help="Play a scripted visit, print one JSON line, exit.")
@click.option("--port", default=8600, envvar="ATTUNE_EDGE_PORT", help="Where browsers connect.")
@click.option("--origin-port", default=8601, envvar="ATTUNE_ORIGIN_PORT", help="The origin's port.")
@click.option(
    "--data",
    type=click.Choice(["auto", "movietweetings", "storefront"]),
    default="auto",
    envvar="ATTUNE_DEMO_DATA",
    help="What to load on the first start; auto takes MovieTweetings where it is at hand.",
)
@click.option(
    "--home",
    default=".attune",
    envvar="ATTUNE_HOME",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo keeps its data between starts.",
)
@json_option
def command(check: bool, port: int, origin_port: int, data: str, home: Path, as_json: bool) -> None:
    """Run database, origin, stream processors and edge, and a storefront to try them in.

    Ctrl-C stops everything; the data stays, and the next start is fast.
    """
    from origin.demo.processes import ProcessError
    from origin.demo.stack import Ports, running_stack

    started = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGINT):
        # A shell that starts it in the background has it ignore Ctrl-C: it listens all the same.
        signal.signal(number, _interrupt)
    ports = Ports(edge=port, origin=origin_port)
    try:
        with running_stack(home, ports, data, os.environ, Step(quiet=as_json)) as stack:
            ready_ms = round((time.monotonic() - started) * 1000)
            if check:
                raise SystemExit(_check(stack.edge_url, ready_ms, stack.was_loaded))
            _announce(stack.edge_url, ready_ms, as_json)
            while True:
                stack.processes.require_running()
                time.sleep(0.5)
    except KeyboardInterrupt:
        click.echo("\nStopped; the data stays in " + str(home) + ".", err=True)
    except ProcessError as error:
        raise click.ClickException(str(error)) from error


def _check(edge_url: str, ready_ms: int, was_loaded: bool) -> int:
    """Play the visit, print its line; return the exit code."""
    from origin.demo.visit import scripted_visit

    report = scripted_visit(edge_url)
    line = {
        "ok": not report.failures,
        "ready_ms": ready_ms,
        "warm": was_loaded,
        **report.figures,
        "failures": report.failures,
    }
    click.echo(json.dumps(line))
    return 1 if report.failures else 0


def _announce(edge_url: str, ready_ms: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"url": edge_url, "ready_ms": ready_ms}))
        return
    click.echo(f"\n  attune is ready after {ready_ms / 1000:.1f} s:  {edge_url}/", err=True)
    click.echo(f"  operations console:              {edge_url}/ops/", err=True)
    click.echo("  Ctrl-C stops everything.\n", err=True)


class Step:
    """Says what begins, on stderr, with the time since the start."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._started = time.monotonic()

    def __call__(self, sentence: str) -> None:
        """Say it."""
        if not self._quiet:
            seconds = time.monotonic() - self._started
            click.echo(f"  {seconds:6.1f} s  {sentence}", err=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
