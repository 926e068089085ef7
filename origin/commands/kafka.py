"""``attune kafka``: a real Apache Kafka on this machine, for tests and local use."""

from pathlib import Path

import click


@click.command("kafka")
@click.argument("action", type=click.Choice(["start", "stop", "status"]))
@click.option(
    "--port",
    default=9092,
    show_default=True,
    envvar="ATTUNE_KAFKA_PORT",
    show_envvar=True,
    help="Where clients connect; the controller takes the next port.",
)
@click.option(
    "--home",
    default=".attune/kafka",
    show_default=True,
    envvar="ATTUNE_KAFKA_HOME",
    show_envvar=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the broker's data and log.",
)
def command(action: str, port: int, home: Path) -> None:
    """Start, stop or look at the local Apache Kafka (one node, KRaft, no Docker)."""
    from origin.event_log.broker import process

    broker = process.Broker(home.resolve(), port)
    try:
        if action == "start":
            first = "" if process.JARS.exists() else " (fetching its jars first, 43 MB)"
            click.echo(f"Starting Apache Kafka{first} ...", err=True)
            process.start(broker)
        elif action == "stop":
            click.echo("Stopped." if process.stop(broker) else "It was not running.")
            return
    except process.BrokerError as error:
        raise click.ClickException(str(error)) from error
    if not process.is_healthy(broker):
        click.echo("Apache Kafka is not running.")
        raise SystemExit(3)
    click.echo(f"Apache Kafka answers at {broker.bootstrap_servers} (log: {broker.log_file}).")
    click.echo(f"export KAFKA_BOOTSTRAP_SERVERS={broker.bootstrap_servers}")
