"""`attune edge`: the built edge workers in workerd, until stopped."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from origin.edge_server import EdgeError, running_edge


@click.command("edge")
@click.option("--host", envvar="ATTUNE_EDGE_HOST", default="127.0.0.1", help="Address to bind.")
@click.option("--port", envvar="ATTUNE_EDGE_PORT", default=8600, help="Port to listen on.")
@click.option(
    "--origin-url",
    envvar="ATTUNE_ORIGIN_URL",
    default="http://127.0.0.1:8601",
    help="Where the origin answers.",
)
@click.option(
    "--store",
    envvar="ATTUNE_EDGE_STORE",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    help="Folder for what outlives the process (KV); without one nothing does.",
)
def command(host: str, port: int, origin_url: str, store: Path | None) -> None:
    """Serve the edge worker on this machine.

    Its settings are the variables ATTUNE_... of docs/edge-settings.md.
    """
    signal.signal(signal.SIGTERM, _leave)
    try:
        with running_edge(origin_url, port, host, settings=_settings(), store=store) as server:
            click.echo(f"The edge answers at {server.url}")
            status = server.process.wait()
    except EdgeError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        return
    sys.exit(status)


def _settings() -> dict[str, str]:
    """Return what the environment says to the edge; wasm/workerd.capnp picks what it knows."""
    return {name: text for name, text in os.environ.items() if name.startswith("ATTUNE_")}


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """End as asked, through every ``finally``."""
    raise SystemExit(0)
