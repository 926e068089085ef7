"""`attune identity`: tokens that prove a user to the edge, for trying it out."""

import json
import time

import click

from attune.contract.decode import ContractError, checked_text
from attune.identity import SECRET_LENGTH_MIN, Keys, signed_token

LIFETIME_S_MAX = 30 * 86_400


@click.group("identity")
def command() -> None:
    """Make what proves to the edge who a request acts for (docs/identity.md)."""


@command.command("token")
@click.argument("user")
@click.option("--secret", envvar="ATTUNE_IDENTITY_SECRET", required=True, help="The edge's secret.")
@click.option(
    "--audience", envvar="ATTUNE_IDENTITY_AUDIENCE", default="attune", help="Whom it is meant for."
)
@click.option(
    "--lifetime-s",
    type=click.IntRange(1, LIFETIME_S_MAX),
    default=3_600,
    help="Seconds until it expires.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def token(user: str, secret: str, audience: str, lifetime_s: int, as_json: bool) -> None:
    """Print a bearer token that names USER, as a customer's backend would sign it."""
    if len(secret) < SECRET_LENGTH_MIN:
        raise click.BadParameter(f"needs {SECRET_LENGTH_MIN} characters", param_hint="--secret")
    try:
        user_id = checked_text("USER", user)
    except ContractError as error:
        raise click.BadParameter(str(error), param_hint="USER") from None
    expires_s = int(time.time()) + lifetime_s
    signed = signed_token(Keys((secret,), audience), user_id, expires_s)
    made = {"token": signed, "user_id": user_id, "audience": audience, "expires_s": expires_s}
    click.echo(json.dumps(made) if as_json else signed)
