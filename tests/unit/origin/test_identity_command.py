"""`attune identity token`."""

import json
import time

from click.testing import CliRunner

from attune.identity import Keys, read_token
from origin.commands import main

SECRET = "a secret of at least thirty-two letters"


def test_a_printed_token_proves_its_user() -> None:
    arguments = ["identity", "token", "u1", "--secret", SECRET, "--audience", "shop", "--json"]
    made = json.loads(CliRunner().invoke(main, arguments).stdout)
    keys = Keys((SECRET,), "shop")
    assert read_token(keys, made["token"], int(time.time())) == made["user_id"] == "u1"
    plain = CliRunner().invoke(main, arguments[:-1]).stdout.strip()
    assert read_token(keys, plain, int(time.time())) == "u1"


def test_a_secret_that_is_too_short_or_a_user_that_cannot_be_one_is_named() -> None:
    short = CliRunner().invoke(main, ["identity", "token", "u1", "--secret", "short"])
    assert short.exit_code == 2
    assert "--secret" in short.stderr
    nobody = CliRunner().invoke(main, ["identity", "token", "x" * 129, "--secret", SECRET])
    assert nobody.exit_code == 2
    assert "USER" in nobody.stderr
