"""``attune bench``: a group of benchmarks, each imported only when it is called."""

import click

from origin.commands import LazyCommand, load

BENCHES = {
    "loop": LazyCommand(
        "origin.commands.bench_loop:command", "Event posted -> visible in another session."
    ),
    "cache": LazyCommand(
        "origin.commands.bench_cache:command", "Slates answered without waiting for the origin."
    ),
    "stream": LazyCommand(
        "origin.commands.bench_stream:command", "Events a second to durable embeddings."
    ),
    "boundary": LazyCommand(
        "origin.commands.bench_boundary:command", "Inactive users' events by the daily batch."
    ),
    "edge": LazyCommand(
        "origin.commands.bench_edge:command", "A slate at the edge beside JavaScript's answer."
    ),
    "freshness": LazyCommand(
        "origin.commands.bench_freshness:command", "Event posted -> visible, under load."
    ),
    "bandit": LazyCommand(
        "origin.commands.bench_bandit:command", "Regret of our bandits beside others."
    ),
    "soak": LazyCommand(
        "origin.commands.bench_soak:command", "Minutes of steady load on an edge, memory watched."
    ),
}


class BenchGroup(click.Group):
    """The benchmarks by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all benchmarks."""
        return list(BENCHES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the benchmark, imported now; None when there is none of that name."""
        entry = BENCHES.get(cmd_name)
        return None if entry is None else load(f"bench {cmd_name}", entry)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of benchmarks from the table alone."""
        with formatter.section("Benchmarks"):
            formatter.write_dl([(name, entry.summary) for name, entry in BENCHES.items()])


@click.group(cls=BenchGroup)
def command() -> None:
    """Measure speed, load and freshness with real processes.

    What runs, against what, and what each figure means: docs/benchmarks.md.
    """
