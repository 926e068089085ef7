"""The edge's settings: one frozen value, read from the variables of its deployment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from attune.consent import Consent
from attune.identity import SECRET_LENGTH_MIN, Keys

WRITE_KEYS_MAX = 100


class SettingsError(ValueError):
    """Settings that are missing or malformed: all of them in one message."""


@dataclass(frozen=True, slots=True)
class WriteKey:
    """What one key of the tracking API may do.

    ``default_consent`` is for messages that state none. A ``trusted`` key is kept on the customer's
    servers, so that the users it names are believed.
    """

    default_consent: Consent
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """Everything about the edge's decisions that a deployment may change."""

    keys: Keys = field(default_factory=Keys)
    write_keys: Mapping[str, WriteKey] = field(default_factory=dict[str, WriteKey])
    full_categories: frozenset[str] = frozenset({"personalization", "functional", "c0003"})
    """Consent categories, in lower case, any of which means full consent."""

    cohort_categories: frozenset[str] = frozenset({"analytics", "performance", "c0002"})
    requests_per_s: float = 50.0
    """One client's lasting rate: many people may share the address of an office."""

    burst: float = 200.0


def read_settings(variables: Mapping[str, str]) -> EdgeSettings:
    """Return the settings in ``variables``; an empty one counts as absent.

    Raises:
        SettingsError: naming every malformed variable.
    """
    given = {name: text for name, text in variables.items() if text}
    problems: list[str] = []
    keys = _read_keys(given, problems)
    write_keys = _read_write_keys(given.get("ATTUNE_WRITE_KEYS", ""), problems)
    rate = _read_rate(given.get("ATTUNE_RATE_LIMIT", "50/200"), problems)
    if problems:
        raise SettingsError("wrong settings: " + "; ".join(problems))
    plain = EdgeSettings()
    return EdgeSettings(
        keys=keys,
        write_keys=write_keys,
        full_categories=_categories(given, "ATTUNE_CONSENT_FULL", plain.full_categories),
        cohort_categories=_categories(given, "ATTUNE_CONSENT_COHORT", plain.cohort_categories),
        requests_per_s=rate[0],
        burst=rate[1],
    )


def _read_keys(given: Mapping[str, str], problems: list[str]) -> Keys:
    names = ("ATTUNE_IDENTITY_SECRET", "ATTUNE_IDENTITY_SECRET_PREVIOUS")
    problems += [
        f"{name} must have at least {SECRET_LENGTH_MIN} characters"
        for name in names
        if 0 < len(given.get(name, "")) < SECRET_LENGTH_MIN
    ]
    if names[1] in given and names[0] not in given:
        problems.append(f"{names[1]} needs {names[0]}")
    secrets = tuple(given[name] for name in names if name in given)
    return Keys(secrets, given.get("ATTUNE_IDENTITY_AUDIENCE", "attune"))


def _read_write_keys(text: str, problems: list[str]) -> dict[str, WriteKey]:
    """Read ``KEY=CONSENT[:trusted]``, separated by commas."""
    read: dict[str, WriteKey] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        key, _, rules = entry.partition("=")
        consent, _, trusted = rules.partition(":")
        if not key or consent not in tuple(Consent) or trusted not in ("", "trusted"):
            problems.append("ATTUNE_WRITE_KEYS must hold KEY=full|cohort|none[:trusted], ...")
            break
        read[key] = WriteKey(Consent(consent), trusted == "trusted")
    if len(read) > WRITE_KEYS_MAX:
        problems.append(f"ATTUNE_WRITE_KEYS must hold at most {WRITE_KEYS_MAX} keys")
    return read


def _read_rate(text: str, problems: list[str]) -> tuple[float, float]:
    """Read ``PER_SECOND/BURST``; "0" is no limit."""
    if text == "0":
        return 0.0, 0.0
    rate, _, burst = text.partition("/")
    if not (rate.isdecimal() and burst.isdecimal() and int(rate) > 0 and int(burst) > 0):
        problems.append("ATTUNE_RATE_LIMIT must be PER_SECOND/BURST or 0")
        return 0.0, 0.0
    return float(rate), float(burst)


def _categories(given: Mapping[str, str], name: str, plain: frozenset[str]) -> frozenset[str]:
    if name not in given:
        return plain
    return frozenset(part.strip().lower() for part in given[name].split(",") if part.strip())
