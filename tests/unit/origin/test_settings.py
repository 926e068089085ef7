"""Settings are read from a mapping, and wrong ones are named together."""

from pathlib import Path

import pytest

from origin.event_log import MS_PER_HOUR, PARTITIONS, RETENTION_MS
from origin.settings import Settings, SettingsError


def test_without_variables_the_defaults_hold() -> None:
    settings = Settings.read({})
    assert (settings.database_url, settings.port, settings.home) == (None, 8601, Path(".attune"))
    assert settings.models.is_dir()


def test_topics_are_by_default_what_the_event_log_makes_them() -> None:
    settings = Settings.read({})
    assert settings.topic_partitions == PARTITIONS
    assert settings.topic_retention_hours * MS_PER_HOUR == RETENTION_MS


def test_variables_replace_defaults_and_empty_ones_do_not() -> None:
    settings = Settings.read(
        {
            "DATABASE_URL": "postgresql://db/attune",
            "ATTUNE_ORIGIN_PORT": "9000",
            "ATTUNE_EXPLORATION_HIGH": "0.3",
            "ATTUNE_HOME": "",
            "PATH": "/bin",
        }
    )
    assert settings.database_url == "postgresql://db/attune"
    assert (settings.port, settings.exploration_high, settings.home) == (9000, 0.3, Path(".attune"))


def test_every_malformed_variable_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read(
            {
                "DATABASE_URL": "mysql://x",
                "ATTUNE_ORIGIN_PORT": "70000",
                "ATTUNE_BUNDLE_FRESH_MS": "soon",
                "ATTUNE_EXPLORATION_LOW": "nan",
            }
        )
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "DATABASE_URL",
        "ATTUNE_ORIGIN_PORT",
        "ATTUNE_BUNDLE_FRESH_MS",
        "ATTUNE_EXPLORATION_LOW",
    ]


def test_a_band_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(SettingsError, match="must not exceed"):
        Settings.read({"ATTUNE_EXPLORATION_LOW": "0.5", "ATTUNE_EXPLORATION_HIGH": "0.1"})
