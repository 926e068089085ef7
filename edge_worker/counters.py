"""Counters of this isolate, for people who look after it; no user stands in them."""

from collections import Counter

from attune.contract.edge_report import GROUPS


class Counters:
    """What was answered from where, how well, and what failed; a group for each question."""

    __slots__ = (*GROUPS, "_reported")

    def __init__(self) -> None:
        self.tiers: Counter[str] = Counter()
        self.rungs: Counter[str] = Counter()
        self.scorers: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.refreshes: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.slates: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self.exploration: Counter[str] = Counter()
        self._reported = self.as_json()

    def as_json(self) -> dict[str, dict[str, int]]:
        """Return all of them."""
        return {group: dict(getattr(self, group)) for group in GROUPS}

    def since_report(self) -> dict[str, dict[str, int]]:
        """Return what was counted since the last report that arrived."""
        return _difference(self.as_json(), self._reported)

    def reported(self, arrived: dict[str, dict[str, int]]) -> None:
        """Note that a report arrived."""
        for group, counts in arrived.items():
            held = self._reported[group]
            for name, count in counts.items():
                held[name] = held.get(name, 0) + count


def _difference(
    now: dict[str, dict[str, int]], before: dict[str, dict[str, int]]
) -> dict[str, dict[str, int]]:
    return {
        group: {
            name: count - before[group].get(name, 0)
            for name, count in counts.items()
            if count > before[group].get(name, 0)
        }
        for group, counts in now.items()
    }
