"""The edge's settings."""

import re
from pathlib import Path

import pytest

from attune.consent import Consent
from edge_worker.settings import SettingsError, WriteKey, read_settings

SECRET = "a secret of at least thirty-two letters"


def test_everything_has_a_default() -> None:
    settings = read_settings({"ATTUNE_IDENTITY_SECRET": "", "ATTUNE_WRITE_KEYS": ""})
    assert not settings.keys.enforced
    assert settings.write_keys == {}
    assert (settings.requests_per_s, settings.burst) == (50.0, 200.0)


def test_settings_are_read_from_their_variables() -> None:
    settings = read_settings(
        {
            "ATTUNE_IDENTITY_SECRET": SECRET,
            "ATTUNE_IDENTITY_SECRET_PREVIOUS": SECRET[::-1],
            "ATTUNE_IDENTITY_AUDIENCE": "shop",
            "ATTUNE_WRITE_KEYS": "web=cohort, server=full:trusted,",
            "ATTUNE_CONSENT_FULL": "Marketing, Tailoring",
            "ATTUNE_RATE_LIMIT": "5/10",
        }
    )
    assert settings.keys.secrets == (SECRET, SECRET[::-1])
    assert settings.keys.audience == "shop"
    assert settings.write_keys["web"] == WriteKey(Consent.COHORT)
    assert settings.write_keys["server"] == WriteKey(Consent.FULL, trusted=True)
    assert settings.full_categories == {"marketing", "tailoring"}
    assert (settings.requests_per_s, settings.burst) == (5.0, 10.0)


def test_every_malformed_variable_is_named_at_once() -> None:
    wrong = {
        "ATTUNE_IDENTITY_SECRET": "short",
        "ATTUNE_WRITE_KEYS": "web=maybe",
        "ATTUNE_RATE_LIMIT": "many",
    }
    with pytest.raises(SettingsError) as raised:
        read_settings(wrong)
    for name in wrong:
        assert name in str(raised.value)
    with pytest.raises(SettingsError, match="ATTUNE_IDENTITY_SECRET_PREVIOUS needs"):
        read_settings({"ATTUNE_IDENTITY_SECRET_PREVIOUS": SECRET})


ROOT = Path(__file__).parents[3]


def test_every_setting_is_bound_in_workerd_and_described() -> None:
    bound = set(re.findall(r'name = "(ATTUNE_\w+)"', (ROOT / "wasm/workerd.capnp").read_text()))
    described = set(
        re.findall(r"^\| `(ATTUNE_\w+)`", (ROOT / "docs/edge-settings.md").read_text(), re.M)
    )
    sources = [*(ROOT / "edge_worker").glob("*.py"), *(ROOT / "wasm").glob("*.js")]
    read = {
        name for path in sources for name in re.findall(r"ATTUNE_[A-Z_]+[A-Z]", path.read_text())
    }
    assert bound == described == read
