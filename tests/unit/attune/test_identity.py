"""Cookies and tokens that prove who asks."""

import base64
import json
from typing import Any

import pytest

from attune.identity import (
    CLOCK_SKEW_S,
    COOKIE_LIFETIME_S,
    IdentityError,
    Keys,
    new_cookie,
    read_cookie,
    read_token,
    signed_cookie,
    signed_token,
)

NOW_S = 1_767_225_600
KEYS = Keys(("first secret of thirty-two letters",))
NEW = "second secret of thirty-two letter"


def test_a_cookie_proves_its_id_until_it_is_thirteen_months_old() -> None:
    user_id, cookie = new_cookie(KEYS, b"0123456789abcdef", NOW_S)
    read = read_cookie(KEYS, cookie, NOW_S + COOKIE_LIFETIME_S - 1)
    assert read is not None
    assert (read.user_id, read.issued_s, read.is_newest_key) == (user_id, NOW_S, True)
    assert read_cookie(KEYS, cookie, NOW_S + COOKIE_LIFETIME_S) is None
    assert read_cookie(KEYS, cookie, NOW_S - CLOCK_SKEW_S - 1) is None


def test_a_cookie_changed_in_any_letter_proves_nothing() -> None:
    _, cookie = new_cookie(KEYS, b"0123456789abcdef", NOW_S)
    for place, letter in enumerate(cookie):
        changed = cookie[:place] + ("A" if letter != "A" else "B") + cookie[place + 1 :]
        assert read_cookie(KEYS, changed, NOW_S) is None, changed


@pytest.mark.parametrize("cookie", ["", "v1", "v1...", "v1.a.1.é", "v1.a.b.c", "." * 5_000])
def test_what_is_no_cookie_proves_nothing(cookie: str) -> None:
    assert read_cookie(KEYS, cookie, NOW_S) is None


def test_after_a_change_of_secret_the_old_one_is_still_believed() -> None:
    cookie = signed_cookie(KEYS, "u1", NOW_S)
    rotated = Keys((NEW, *KEYS.secrets))
    read = read_cookie(rotated, cookie, NOW_S)
    assert read is not None
    assert not read.is_newest_key
    assert read_token(rotated, signed_token(KEYS, "u1", NOW_S + 60), NOW_S) == "u1"
    assert read_cookie(Keys((NEW,)), cookie, NOW_S) is None


def token(claims: dict[str, Any], head: dict[str, Any] | None = None, keys: Keys = KEYS) -> str:
    """Return a token with a genuine signature over anything."""
    good = signed_token(keys, "u1", NOW_S + 60)
    parts = [json.dumps(part).encode() for part in (head or {"alg": "HS256"}, claims)]
    body = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    from attune.identity import _token_signature  # pyright: ignore[reportPrivateUsage]

    assert good.rpartition(".")[2] == _token_signature(keys.secrets[0], good.rpartition(".")[0])
    return f"{body}.{_token_signature(keys.secrets[0], body)}"


GOOD: dict[str, Any] = {"sub": "u1", "aud": "attune", "exp": NOW_S + 60}


@pytest.mark.parametrize("claims", [GOOD, {**GOOD, "aud": ["other", "attune"], "nbf": NOW_S}])
def test_a_token_of_the_customer_proves_its_user(claims: dict[str, Any]) -> None:
    assert read_token(KEYS, token(claims), NOW_S) == "u1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (token({**GOOD, "exp": NOW_S - CLOCK_SKEW_S}), "expired"),
        (token({**GOOD, "exp": None}), "expiry"),
        (token({**GOOD, "exp": True}), "expiry"),
        (token({**GOOD, "exp": "later"}), "expiry"),
        (token({**GOOD, "exp": float("nan")}), "expired"),
        (token({**GOOD, "nbf": NOW_S + 3_600}), "not valid yet"),
        (token({**GOOD, "aud": "another"}), "audience"),
        (token({**GOOD, "aud": None}), "audience"),
        (token({**GOOD, "sub": ""}), "user"),
        (token({**GOOD, "sub": 7}), "user"),
        (token({**GOOD, "sub": "x" * 129}), "user"),
        (token(GOOD, {"alg": "none"}), "HS256"),
        (token(GOOD, {"alg": "HS512"}), "HS256"),
        (token(GOOD, {"alg": "HS256", "crit": ["x"]}), "HS256"),
        (token(GOOD, keys=Keys((NEW,))), "signed"),
        (token(GOOD)[:-1], "signed"),
        (token(GOOD).rpartition(".")[0] + ".", "signed"),
        ("a.b.c", "signed"),
        ("a.b", "JSON Web Token"),
        ("é.b.c", "JSON Web Token"),
        ("x" * 9_000, "JSON Web Token"),
    ],
)
def test_a_token_that_proves_nothing_says_why(text: str, problem: str) -> None:
    with pytest.raises(IdentityError, match=problem):
        read_token(KEYS, text, NOW_S)


def test_neither_can_be_passed_off_as_the_other() -> None:
    _, cookie = new_cookie(KEYS, b"0123456789abcdef", NOW_S)
    with pytest.raises(IdentityError):
        read_token(KEYS, cookie, NOW_S)
    assert read_cookie(KEYS, signed_token(KEYS, "u1", NOW_S + 60), NOW_S) is None
