"""The origin's and the stream processors' settings: one frozen value, read from a mapping."""
# ruff: noqa: RUF009 - setting() returns a dataclass field

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self, TypeVar

Value = TypeVar("Value")


class SettingsError(ValueError):
    """Settings that are missing or malformed: all of them in one message."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("wrong settings: " + "; ".join(problems))
        self.problems = problems


def setting(variable: str, read: Callable[[str], Value], default: Value) -> Any:
    """Return a dataclass field that is read from ``variable``."""
    return field(default=default, metadata={"variable": variable, "read": read})


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers in [low, high]."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= number <= high:
            raise ValueError(f"must be from {low} to {high}")
        return number

    return read


def share(text: str) -> float:
    """Return a number in [0, 1]."""
    try:
        number = float(text)
    except ValueError:
        raise ValueError("must be a number") from None
    if not 0.0 <= number <= 1.0:
        raise ValueError("must be from 0 to 1")
    return number


def postgres_url(text: str) -> str:
    """Return the address of a database."""
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("must start with postgresql://")
    return text


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything about a process of the origin tier that a deployment may change."""

    database_url: str | None = setting("DATABASE_URL", postgres_url, None)
    """Without one, an embedded server keeps its data under ``home``."""

    kafka_bootstrap_servers: str | None = setting("KAFKA_BOOTSTRAP_SERVERS", str, None)
    """Without them, the event log lies in the database."""

    topic_partitions: int = setting("ATTUNE_TOPIC_PARTITIONS", whole(1, 1_024), 8)
    """Of topics that do not exist yet: so many consumer processes can share the work."""

    topic_retention_hours: int = setting("ATTUNE_TOPIC_RETENTION_HOURS", whole(1, 8_760), 168)
    """How far back a replay reaches, and how late an event may come twice and count once."""

    home: Path = setting("ATTUNE_HOME", Path, Path(".attune"))
    models: Path = setting("ATTUNE_MODELS", Path, Path(__file__).parents[1] / "models" / "onnx")

    host: str = setting("ATTUNE_ORIGIN_HOST", str, "127.0.0.1")
    port: int = setting("ATTUNE_ORIGIN_PORT", whole(1, 65_535), 8601)

    connections_max: int = setting("ATTUNE_DATABASE_CONNECTIONS", whole(2, 500), 10)
    """Ten connections saturated two cores in measurements; more only queue inside the server."""

    retrieval_deadline_ms: int = setting("ATTUNE_RETRIEVAL_DEADLINE_MS", whole(1, 10_000), 150)
    """Each candidate source's; a healthy one takes 2 to 10 ms."""

    bundle_deadline_ms: int = setting("ATTUNE_BUNDLE_DEADLINE_MS", whole(10, 60_000), 800)
    """The whole answer's; past it the last good popular bundle is served."""

    bundle_fresh_ms: int = setting("ATTUNE_BUNDLE_FRESH_MS", whole(0, 86_400_000), 10_000)
    """How long the edge may answer from a bundle before it asks for a newer one."""

    bundle_stale_ms: int = setting("ATTUNE_BUNDLE_STALE_MS", whole(0, 2_592_000_000), 86_400_000)
    """How long the edge may go on serving it while no newer one is to be had."""

    reward_window_ms: int = setting("ATTUNE_REWARD_WINDOW_MS", whole(1_000, 86_400_000), 1_800_000)
    """How long after a slate was seen its items may earn: half an hour, as sessions end."""

    history_retention_hours: int = setting(
        "ATTUNE_HISTORY_RETENTION_HOURS", whole(1, 87_600), 2_160
    )
    """How far back training sets reach: 90 days of slates, interactions and impressions."""

    active_within_days: int = setting("ATTUNE_ACTIVE_WITHIN_DAYS", whole(0, 3_650), 0)
    """An event of a user who did nothing for so long waits for the daily batch; 0: none waits."""

    exploration_low: float = setting("ATTUNE_EXPLORATION_LOW", share, 0.05)
    exploration_high: float = setting("ATTUNE_EXPLORATION_HIGH", share, 0.15)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Return the settings in ``environment``; an empty variable counts as absent.

        Raises:
            SettingsError: naming every malformed variable.
        """
        values: dict[str, object] = {}
        problems: list[str] = []
        for each in fields(cls):
            variable, read = each.metadata["variable"], each.metadata["read"]
            if not environment.get(variable):
                continue
            try:
                values[each.name] = read(environment[variable])
            except ValueError as error:
                problems.append(f"{variable} {error}, not {environment[variable]!r}")
        settings = cls(**values)  # pyright: ignore[reportArgumentType] - each was read by its field
        if settings.exploration_low > settings.exploration_high:
            problems.append("ATTUNE_EXPLORATION_LOW must not exceed ATTUNE_EXPLORATION_HIGH")
        if problems:
            raise SettingsError(problems)
        return settings

    @classmethod
    def from_environment(cls) -> Self:
        """Return this process's settings."""
        return cls.read(os.environ)
