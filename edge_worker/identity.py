"""Who a request acts for, settled before anything else reads it.

A user id is used under full consent alone. It comes from the customer's token, else from our
cookie, else the visitor gets a fresh one. What a body says of itself is believed only where the
deployment has no secret to prove it with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from attune.consent import Consent, effective_consent
from attune.contract.decode import ContractError
from attune.identity import (
    COOKIE,
    COOKIE_LIFETIME_S,
    ID_BYTES,
    IdentityError,
    Keys,
    new_cookie,
    read_cookie,
    read_token,
    signed_cookie,
)

UNPROVED = "segment:"
"""Stands before the ids that browsers state to the tracking API."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brings to prove who it acts for, and how an answer reaches its browser."""

    authorization: str = ""
    cookie: str = ""
    is_https: bool = False
    random_bytes: bytes = bytes(ID_BYTES)
    """Of which the id of a new visitor is made."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request acts for. ``set_cookie`` is the header's value, None when nothing changes."""

    user_id: str | None
    set_cookie: str | None = None


NO_IDENTITY = Identity(None)


def identify(keys: Keys, credentials: Credentials, now_ms: int) -> Identity:
    """Return who the request acts for under full consent.

    Raises:
        ContractError: with status 401, when its token proves nothing.
    """
    now_s = now_ms // 1000
    scheme, _, token = credentials.authorization.partition(" ")
    if scheme.lower() == "bearer":
        return Identity(_proved_by_token(keys, token.strip(), now_s))
    found = read_cookie(keys, credentials.cookie, now_s) if credentials.cookie else None
    if found is None:
        user_id, cookie = new_cookie(keys, credentials.random_bytes, now_s)
        return Identity(user_id, _set_cookie(cookie, COOKIE_LIFETIME_S, credentials))
    if found.is_newest_key:
        return Identity(found.user_id)
    rest_s = COOKIE_LIFETIME_S - (now_s - found.issued_s)
    cookie = signed_cookie(keys, found.user_id, found.issued_s)
    return Identity(found.user_id, _set_cookie(cookie, rest_s, credentials))


def identified_request(
    keys: Keys, credentials: Credentials, body: object, privacy_control: bool, now_ms: int
) -> tuple[object, Identity]:
    """Return the body of a request for a slate with the user whom it acts for, and the identity.

    Raises:
        ContractError: with status 401, when the token, or the user whom the body names, is not
            proved.
    """
    is_open = not (keys.enforced or credentials.authorization or privacy_control)
    if is_open and _states_full_consent(body) and cast("Mapping[str, object]", body).get("user_id"):
        return body, NO_IDENTITY
    entries, identity = _identified(keys, credentials, [body], [""], privacy_control, now_ms)
    return entries[0], identity


def identified_batch(
    keys: Keys, credentials: Credentials, body: object, privacy_control: bool, now_ms: int
) -> tuple[object, Identity]:
    """Return a batch of events in which each personal one names the user, and the identity.

    Raises:
        ContractError: as for a request.
    """
    if not isinstance(body, Mapping):
        return body, Identity(None)
    envelope = cast("Mapping[str, object]", body)
    entries = envelope.get("events")
    if not isinstance(entries, list) or not entries:
        return envelope, Identity(None)  # the contract's reader says what is wrong
    events = cast("list[object]", entries)
    paths = [f"events[{index}]." for index in range(len(events))]
    acted, identity = _identified(keys, credentials, events, paths, privacy_control, now_ms)
    return {**envelope, "events": acted}, identity


def tracked_user(
    keys: Keys, credentials: Credentials, stated: str, is_trusted: bool, now_ms: int
) -> str:
    """Return the user of a message of the tracking API, which states one without proof.

    It is believed from the customer's own servers, and where nothing is protected. From a browser
    it is the visitor of our cookie, else a user set apart, whom no cookie can name.
    """
    if is_trusted or not keys.enforced:
        return stated
    found = read_cookie(keys, credentials.cookie, now_ms // 1000) if credentials.cookie else None
    return f"{UNPROVED}{stated}" if found is None else found.user_id


def _identified(
    keys: Keys,
    credentials: Credentials,
    entries: list[object],
    paths: list[str],
    privacy_control: bool,
    now_ms: int,
) -> tuple[list[object], Identity]:
    entries = [_capped(entry) if privacy_control else entry for entry in entries]
    personal = {
        index: cast("Mapping[str, object]", entry)
        for index, entry in enumerate(entries)
        if _states_full_consent(entry)
    }
    if not personal:
        return entries, _nobody(credentials)
    if not keys.enforced and not credentials.authorization:
        unnamed = (None, "")
        personal = {i: entry for i, entry in personal.items() if entry.get("user_id") in unnamed}
        if not personal:
            return entries, Identity(None)
    identity = identify(keys, credentials, now_ms)
    acted = list(entries)
    for index, entry in personal.items():
        if entry.get("user_id") not in (None, "", identity.user_id):
            problem = "is not the user that the cookie or the token proves"
            raise ContractError(f"{paths[index]}user_id", problem, 401)
        acted[index] = {**entry, "user_id": identity.user_id}
    return acted, identity


def _states_full_consent(entry: object) -> bool:
    if not isinstance(entry, Mapping):
        return False
    return cast("Mapping[str, object]", entry).get("consent") == Consent.FULL.value


def _capped(entry: object) -> object:
    """Return the entry with the consent that ``Sec-GPC: 1`` leaves of what it states."""
    if not _states_full_consent(entry):
        return entry
    capped = effective_consent(Consent.FULL, global_privacy_control=True)
    return {**cast("Mapping[str, object]", entry), "consent": capped.value}


def _nobody(credentials: Credentials) -> Identity:
    """Return the identity of a request that may not be tied to a user: a cookie is deleted."""
    return Identity(None, _set_cookie("", 0, credentials) if credentials.cookie else None)


def _proved_by_token(keys: Keys, token: str, now_s: int) -> str:
    if not keys.enforced:
        raise ContractError("Authorization", "cannot be checked: this edge has no secret", 401)
    try:
        return read_token(keys, token, now_s)
    except IdentityError as error:
        raise ContractError("Authorization", f"the token {error}", 401) from None


def _set_cookie(value: str, lifetime_s: int, credentials: Credentials) -> str:
    secure = "; Secure" if credentials.is_https else ""
    return f"{COOKIE}={value}; Path=/; Max-Age={lifetime_s}; HttpOnly; SameSite=Lax{secure}"
