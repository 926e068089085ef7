"""``attune bench boundary``: what it saves and costs to let inactive users' events wait."""

import asyncio
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, show, show_rows

if TYPE_CHECKING:
    from attune.contract.event import Interaction
    from origin.bench.boundary import BoundaryFigures, Tell
    from origin.storage.port import LearningStore


@click.command("boundary")
@click.option(
    "--ratings",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="user::item::rating::timestamp, or the same with commas or tabs.",
)
@click.option("--limit", default=60_000, type=click.IntRange(min=1), help="So many first ratings.")
@click.option(
    "--days", type=click.IntRange(0, 3_650), multiple=True, default=(0, 1, 7, 30),
    show_default=True, help="ATTUNE_ACTIVE_WITHIN_DAYS, one run for each; 0: all are active.",
)  # fmt: skip
@json_option
def command(ratings: Path, limit: int, days: tuple[int, ...], as_json: bool) -> None:
    """Measure the work that waiting saves, and how old embeddings are meanwhile."""
    from origin.commands.evaluate import progress_of
    from origin.evaluation.ratings import RatingsError, read_ratings

    try:
        events = read_ratings(ratings)[:limit]
    except RatingsError as error:
        raise click.ClickException(str(error)) from error
    if not events:
        raise click.ClickException(f"--ratings {ratings}: holds no rating")
    found: list[BoundaryFigures] = []
    with (
        progress_of(as_json=as_json) as progress,
        tempfile.TemporaryDirectory(prefix="attune-bench-") as home,
    ):
        Path(home).chmod(0o755)
        for each in days:
            done = 0

            def tell(count: int, what: str = f"active within {each} days") -> None:
                nonlocal done
                done += count
                progress(what, done, len(events))

            found.append(_measured(Path(home), each, events, tell))
    rows: list[dict[str, FigureTree]] = [_rounded(one) for one in found]
    if as_json:
        run: dict[str, FigureTree] = {
            "bench": "boundary",
            "machine": f"{os.cpu_count()} x {platform.machine()}",
            "ratings": str(ratings),
            "runs": rows,
        }
        show(run, as_json=True, title="")
    else:
        show_rows(rows, as_json=False, title="The boundary between active and inactive users")


class UsersLearner:
    """The users' processor and its daily batch on a store."""

    def __init__(self, store: "LearningStore", days: int) -> None:
        from kafka_consumers.catching_up import CatchingUp
        from kafka_consumers.deferred import Boundary
        from kafka_consumers.users import Users

        self._store = store
        self._boundary = Boundary.of_days(days)
        self._users = Users(boundary=self._boundary)
        self._catching_up = CatchingUp(store)

    async def learn(self, events: "Sequence[Interaction]") -> None:
        """Process a batch."""
        from kafka_consumers.batch import Batch

        async with self._store.transaction() as transaction:
            await self._users.process(Batch.of(events, 0), transaction)

    async def catch_up(self) -> int:
        """Learn what waits; return how many events that were."""
        return await self._catching_up.run(0)

    @property
    def deferred(self) -> int:
        """Return how many events waited so far."""
        return self._boundary.deferred


def _measured(
    home: Path, days: int, events: "Sequence[Interaction]", tell: "Tell"
) -> "BoundaryFigures":
    from origin.bench.boundary import measured_boundary
    from origin.storage.database import connection_pool, migrate
    from origin.storage.embedded_postgres import running_postgres
    from origin.storage.postgres import PostgresStore

    async def work(url: str) -> "BoundaryFigures":
        await migrate(url)
        async with connection_pool(url, 2) as pool:
            store = PostgresStore(pool)
            return await measured_boundary(days, events, pool, store, home, UsersLearner, tell)

    with running_postgres(home) as url:
        return asyncio.run(work(url))


def _rounded(figures: "BoundaryFigures") -> dict[str, FigureTree]:
    values: dict[str, int | float] = asdict(figures)
    return {name: round(value, 3) for name, value in values.items()}
