"""``attune bench stream``: events a second that become durable user embeddings."""

import asyncio
import os
import platform
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, show, show_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from origin.bench.stream import StreamFigures, Tell
    from origin.bench.stream_events import Traffic


@click.command("stream")
@click.option("--events", type=click.IntRange(1_000), default=2_000_000, show_default=True)
@click.option("--users", type=click.IntRange(1), default=200_000, show_default=True)
@click.option("--zipf", is_flag=True, help="A few users are very busy; else all are equally so.")
@click.option(
    "--processes", type=click.IntRange(1, 8), multiple=True, default=(1, 2), show_default=True,
    help="Consumer processes, one run for each.",
)  # fmt: skip
@click.option("--all/--only-users", "all_groups", default=True, help="Also learn everything once.")
@json_option
def command(
    events: int,
    users: int,
    zipf: bool,
    processes: tuple[int, ...],
    all_groups: bool,
    as_json: bool,
) -> None:
    """Measure events a second from Apache Kafka to durable embeddings, each exactly once."""
    from origin.bench.stream import measured_stream
    from origin.demo.processes import ProcessError
    from origin.event_log.broker.process import BrokerError

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop the processes, then end
    load_average = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory(prefix="attune-bench-") as home:
        try:
            found = asyncio.run(
                measured_stream(
                    Path(home), os.environ, (events, users, zipf), processes, all_groups,
                    replayed, _teller(as_json),
                )
            )  # fmt: skip
        except (ProcessError, BrokerError) as error:
            raise click.ClickException(str(error)) from error
    run: dict[str, FigureTree] = {
        "bench": "stream",
        "machine": f"{os.cpu_count()} x {platform.machine()}",
        "load_average_before": load_average,
        "zipf": zipf,
    }
    if as_json:
        show(run | _rounded(asdict(found)), as_json=True, title="")
    else:
        _show(found)


async def replayed(
    items: Mapping[str, "NDArray[np.float32]"], traffic: "Traffic", users: Sequence[int]
) -> Mapping[int, "NDArray[np.float32]"]:
    """Return the users' embeddings after one event at a time, in one thread."""
    import numpy

    from attune.consent import Consent
    from attune.context import Context
    from attune.contract.event import ACTIONS, Interaction
    from attune.contract.item import Item
    from kafka_consumers.batch import Batch
    from kafka_consumers.users import Users
    from origin.bench.stream_events import item_name, user_name
    from origin.storage.memory import MemoryStore

    store, processor = MemoryStore(), Users()
    await store.put_items([Item(item_id=name, title=name) for name in items], 0)
    await store.put_embeddings("bench", items)
    for place in numpy.flatnonzero(numpy.isin(traffic.users, users)).tolist():
        event = Interaction(
            event_id=str(place),
            consent=Consent.FULL,
            user_id=user_name(int(traffic.users[place])),
            session_id="visit",
            item_id=item_name(int(traffic.items[place])),
            action=ACTIONS[int(traffic.actions[place])],
            occurred_at_ms=int(traffic.at_ms[place]),
            surface="home",
            context=Context(),
        )
        async with store.transaction() as transaction:
            await processor.process(Batch.of([event], 0), transaction)
    states = {user: await store.user_state(user_name(user)) for user in users}
    return {user: state.row.embedding for user, state in states.items()}


def _teller(as_json: bool) -> "Tell":
    """Return what shows the progress: a bar on stderr, nothing beside JSON."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    progress = Progress(console=Console(stderr=True), disable=as_json)
    tasks: dict[str, TaskID] = {}

    def tell(what: str, done: int, total: int) -> None:
        progress.start()
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=total)
        progress.update(tasks[what], completed=done)
        if done >= total:
            progress.stop()

    return tell


def _rounded(value: FigureTree) -> dict[str, FigureTree]:
    def shortened(one: FigureTree) -> FigureTree:
        if isinstance(one, float):
            return round(one, 2)
        if isinstance(one, Mapping):
            return {name: shortened(inner) for name, inner in one.items()}
        return [shortened(inner) for inner in one] if isinstance(one, list) else one

    shown = shortened(value)
    assert isinstance(shown, dict), "figures are named"
    return shown


def _show(found: "StreamFigures") -> None:
    rows = [
        {
            "processes": run.processes,
            "groups": run.groups,
            "events_per_s": round(run.events_per_s),
            "consumers_us": round(run.consumers_us, 2),
            "database_us": round(run.database_us, 2),
            "broker_us": round(run.broker_us, 2),
            "records_per_batch": round(run.records_per_batch),
            **{f"{name}_us": round(spent, 2) for name, spent in run.stages_us.items()},
        }
        for run in found.runs
    ]
    show_rows(rows, as_json=False, title=f"{found.events:,} events, processor time per event")
    figures = {
        name: value for name, value in _rounded(asdict(found)).items() if name not in ("runs",)
    }
    show(figures, as_json=False, title="Beside it")
