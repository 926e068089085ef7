"""What the drift monitor knows: its baseline, its running test, its latest report."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from attune.drift import FEATURE_ALERT, POPULATION_ALERT, PageHinkley
from origin.packing import packed, unpacked

NAME = "drift"
"""The fitting under which the store keeps the state."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """A feature's baseline: edges between bins, and how many values fell into each."""

    edges: tuple[float, ...]
    counts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What one check found. A distance or index is None while there is too little to tell."""

    checked_at_ms: int = 0
    population_distance: float | None = None
    population_users: int = 0
    feature_indices: Mapping[str, float] = field(default_factory=dict[str, float])
    reward_mean: float | None = None
    reward_statistic: float = 0.0
    reward_drifted: bool = False

    @property
    def alerts(self) -> tuple[str, ...]:
        """The names of what has drifted."""
        found = [f"feature {k}" for k, v in self.feature_indices.items() if v > FEATURE_ALERT]
        if self.population_distance is not None and self.population_distance > POPULATION_ALERT:
            found.append("population")
        return tuple(found + ["reward"] * self.reward_drifted)


@dataclass(frozen=True, slots=True)
class DriftState:
    """Everything between two checks. An empty state sets its baseline as soon as it can."""

    population: tuple[float, ...] = ()
    features: Mapping[str, Histogram] = field(default_factory=dict[str, Histogram])
    reward: PageHinkley = field(default_factory=PageHinkley)
    trials: float = 0.0
    earned: float = 0.0
    report: DriftReport = field(default_factory=DriftReport)


def packed_state(state: DriftState) -> bytes:
    """Return the state as the store keeps it."""
    return packed(asdict(state))


def unpacked_state(stored: bytes | None) -> DriftState:
    """Return the state that was kept, an empty one where none was."""
    if stored is None:
        return DriftState()
    raw = cast("dict[str, Any]", unpacked(stored))
    histograms = {
        name: Histogram(tuple(one["edges"]), tuple(one["counts"]))
        for name, one in raw["features"].items()
    }
    return DriftState(
        population=tuple(raw["population"]),
        features=histograms,
        reward=PageHinkley(**raw["reward"]),
        trials=raw["trials"],
        earned=raw["earned"],
        report=DriftReport(**raw["report"]),
    )
