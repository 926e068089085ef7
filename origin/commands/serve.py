"""``attune serve``: the origin's HTTP API on Hypercorn."""

from dataclasses import replace

import click


@click.command("serve")
@click.option("--host", envvar="ATTUNE_ORIGIN_HOST", help="Where to listen.  [default: 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    envvar="ATTUNE_ORIGIN_PORT",
    help="Where to listen.  [default: 8601]",
)
def command(host: str | None, port: int | None) -> None:
    """Serve recommendations, bundles, events and the catalogue until SIGTERM or Ctrl-C.

    Starts a PostgreSQL of its own under ATTUNE_HOME unless DATABASE_URL names one.
    """
    from origin.http.serving import serve
    from origin.settings import Settings, SettingsError
    from origin.storage.embedded_postgres import postgres_at

    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    settings = replace(settings, host=host or settings.host, port=port or settings.port)
    with postgres_at(settings.database_url, settings.home) as database_url:
        serve(settings, database_url)
