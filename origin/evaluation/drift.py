"""How far the drift monitor can be trusted: alarms without a cause, and how late the true ones are.

A stream is a row of looks, each a sample as the monitor takes one. The monitor's own check goes
over it from an empty state, as after a recalibration.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from origin.drift import Sample, checked
from origin.drift_state import DriftState

Progress = Callable[[str, int, int], object]
"""Called with what is being done, how much of it is done, and how much there is."""

MINUTE_MS = 60_000
TESTS = ("population", "features", "reward")


@dataclass(slots=True)
class Alarms:
    """The looks at which the monitor alarmed over one stream, by test, ``feature NAME`` too."""

    looks: int = 0
    alarmed: dict[str, list[int]] = field(
        default_factory=lambda: {name: list[int]() for name in TESTS}
    )

    def first(self, test: str, since: int = 0) -> int | None:
        """Return the first look from ``since`` on at which the test alarmed."""
        return next((look for look in self.alarmed[test] if look >= since), None)


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """One test on streams in which nothing moves."""

    looks: int
    alarmed_looks: int
    streams: int
    alarmed_streams: int

    @property
    def rate(self) -> float:
        """The share of looks with an alarm."""
        return self.alarmed_looks / self.looks if self.looks else 0.0


@dataclass(frozen=True, slots=True)
class Detection:
    """One test on streams in which something moved at a known look; delays are in looks."""

    streams: int
    alarmed_before: int
    found: int
    delay_median: float | None
    delay_p90: float | None


def watched(stream: Iterable[Sample]) -> Alarms:
    """Return the alarms of a monitor that starts with the stream's first look."""
    state, alarms = DriftState(), Alarms()
    for look, sample in enumerate(stream):
        state = checked(state, sample, (look + 1) * MINUTE_MS)
        alarms.looks += 1
        told = set(state.report.alerts)
        if any(name.startswith("feature ") for name in told):
            told.add("features")
        for name in state.report.feature_indices:
            alarms.alarmed.setdefault(f"feature {name}", [])
        for test in told:
            alarms.alarmed[test].append(look)
    return alarms


def false_alarms(runs: Iterable[Alarms], test: str) -> FalseAlarms:
    """Return how often the test alarmed though nothing moved."""
    known = list(runs)
    return FalseAlarms(
        looks=sum(run.looks for run in known),
        alarmed_looks=sum(len(run.alarmed[test]) for run in known),
        streams=len(known),
        alarmed_streams=sum(bool(run.alarmed[test]) for run in known),
    )


def detection(runs: Iterable[Alarms], test: str, moved_at: int) -> Detection:
    """Return how surely and how soon the test found what moved at a look.

    A stream on which it alarmed before is no find: nobody could tell the two alarms apart.
    """
    known = list(runs)
    calm = [run for run in known if not any(look < moved_at for look in run.alarmed[test])]
    delays = [at - moved_at + 1 for run in calm if (at := run.first(test)) is not None]
    return Detection(
        streams=len(known),
        alarmed_before=len(known) - len(calm),
        found=len(delays),
        delay_median=float(np.median(delays)) if delays else None,
        delay_p90=round(float(np.quantile(delays, 0.9)), 1) if delays else None,
    )
