"""Counters of this isolate, for people who look after it; no user stands in them."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """What was answered from where, and how well."""

    tiers: Counter[str] = field(default_factory=Counter[str])
    rungs: Counter[str] = field(default_factory=Counter[str])
    scorers: Counter[str] = field(default_factory=Counter[str])
    events: Counter[str] = field(default_factory=Counter[str])
    refreshes: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[str] = field(default_factory=Counter[str])

    def as_json(self) -> dict[str, dict[str, int]]:
        """Return all of them."""
        return {
            "tiers": dict(self.tiers),
            "rungs": dict(self.rungs),
            "scorers": dict(self.scorers),
            "events": dict(self.events),
            "refreshes": dict(self.refreshes),
            "errors": dict(self.errors),
        }
