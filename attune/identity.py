"""Who asks: ids that only holders of a secret can state, in a cookie of ours or a customer's token.

Both carry HMAC-SHA256 (RFC 2104). The cookie ``v1.ID.SECONDS.SIGNATURE`` names a visitor whom the
edge has given a random id. The token is a JSON Web Token (RFC 7519, ``HS256`` alone) in which the
customer's backend names a user it knows. They are signed with different keys, derived from one
secret, so that neither can be passed off as the other.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from attune.contract.decode import ContractError, checked_text

COOKIE = "attune_id"

COOKIE_LIFETIME_S = 395 * 86_400
"""13 months, after which a visitor is a new one: the longest that European authorities accept."""

ID_BYTES = 16
"""128 random bits: no visitor can guess another's id."""

TOKEN_LENGTH_MAX = 4_096
"""A browser's limit for one header's worth; ours have 200 characters."""

CLOCK_SKEW_S = 30
"""By how much the clocks of a customer's backend and of the edge may differ."""

SECRET_LENGTH_MIN = 32
"""Characters; as many as HMAC-SHA256 has bytes, which RFC 7518 asks for."""


class IdentityError(ValueError):
    """A token that proves nothing; says why."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets in force: the first signs, all verify. With none, ids are not protected."""

    secrets: tuple[str, ...] = ()
    audience: str = "attune"

    @property
    def enforced(self) -> bool:
        """Whether a user id must be proved."""
        return bool(self.secrets)


@dataclass(frozen=True, slots=True)
class ReadCookie:
    """What a genuine cookie says. ``is_newest_key`` is false once the secret has been replaced."""

    user_id: str
    issued_s: int
    is_newest_key: bool


def new_cookie(keys: Keys, random_bytes: bytes, now_s: int) -> tuple[str, str]:
    """Return a fresh visitor's id and the cookie that proves it.

    >>> new_cookie(Keys(), bytes(16), 1_767_225_600)[0]
    'AAAAAAAAAAAAAAAAAAAAAA'
    """
    user_id = _base64url(random_bytes)
    return user_id, signed_cookie(keys, user_id, now_s)


def signed_cookie(keys: Keys, user_id: str, issued_s: int) -> str:
    """Return the cookie that proves ``user_id``, signed with the first key."""
    body = f"v1.{user_id}.{issued_s}"
    return f"{body}.{_cookie_signature(_secrets(keys)[0], body)}"


def read_cookie(keys: Keys, cookie: str, now_s: int) -> ReadCookie | None:
    """Return what the cookie says; None for a forged, damaged or expired one."""
    if len(cookie) > TOKEN_LENGTH_MAX or not cookie.isascii() or cookie.count(".") != 3:
        return None
    body, _, signature = cookie.rpartition(".")
    version, user_id, seconds = body.split(".")
    if version != "v1" or not user_id or not seconds.isdecimal() or len(seconds) > 12:
        return None
    for index, secret in enumerate(_secrets(keys)):
        if hmac.compare_digest(signature, _cookie_signature(secret, body)):
            issued_s = int(seconds)
            alive = -CLOCK_SKEW_S <= now_s - issued_s < COOKIE_LIFETIME_S
            return ReadCookie(user_id, issued_s, index == 0) if alive else None
    return None


def signed_token(keys: Keys, user_id: str, expires_s: int) -> str:
    """Return a token that names ``user_id``, as a customer's backend would make it."""
    head = _base64url(b'{"alg":"HS256","typ":"JWT"}')
    claims = {"sub": user_id, "aud": keys.audience, "exp": expires_s}
    body = f"{head}.{_base64url(json.dumps(claims).encode())}"
    return f"{body}.{_token_signature(keys.secrets[0], body)}"


def read_token(keys: Keys, token: str, now_s: int) -> str:
    """Return the user id that the token proves.

    Raises:
        IdentityError: it is forged, expired, meant for somebody else, or no token.
    """
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii() or token.count(".") != 2:
        raise IdentityError("is no JSON Web Token")
    body, _, signature = token.rpartition(".")
    wanted = [_token_signature(secret, body) for secret in keys.secrets]
    # Every key is tried, whichever fits: the time taken tells nothing.
    if True not in [hmac.compare_digest(signature, each) for each in wanted]:
        raise IdentityError("is not signed with the shared secret")
    head, claims = (_object(part) for part in body.split("."))
    if head.get("alg") != "HS256" or "crit" in head:
        raise IdentityError("must be signed with HS256, without critical extensions")
    return _proved(claims, keys.audience, now_s)


def _proved(claims: Mapping[str, Any], audience: str, now_s: int) -> str:
    expires_s = claims.get("exp")
    if isinstance(expires_s, bool) or not isinstance(expires_s, int | float):
        raise IdentityError("names no time of expiry (exp)")
    if not now_s < expires_s + CLOCK_SKEW_S:
        raise IdentityError("has expired")
    not_before_s = claims.get("nbf", 0)
    if not isinstance(not_before_s, int | float) or not_before_s > now_s + CLOCK_SKEW_S:
        raise IdentityError("is not valid yet")
    meant_for = claims.get("aud")
    listed = cast("Sequence[object]", meant_for if isinstance(meant_for, list) else [meant_for])
    if audience not in listed:
        raise IdentityError("is meant for another audience (aud)")
    try:
        return checked_text("sub", claims.get("sub"))
    except ContractError as error:
        raise IdentityError(f"names no usable user: {error}") from None


def _object(part: str) -> Mapping[str, Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise IdentityError("is no JSON Web Token") from None
    if not isinstance(value, dict):
        raise IdentityError("is no JSON Web Token")
    return cast("Mapping[str, Any]", value)


def _secrets(keys: Keys) -> tuple[str, ...]:
    """Return what cookies are signed with: without a secret, a key that everybody knows."""
    return keys.secrets or ("",)


def _cookie_signature(secret: str, body: str) -> str:
    key = hashlib.sha256(f"attune cookie\0{secret}".encode()).digest()
    return _base64url(hmac.digest(key, body.encode(), "sha256"))


def _token_signature(secret: str, body: str) -> str:
    return _base64url(hmac.digest(secret.encode(), body.encode(), "sha256"))


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
