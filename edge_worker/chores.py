"""What the edge does behind answers: which of it is due, looked at once in a while."""

from dataclasses import dataclass

from edge_worker import model_swap, policy_cache

LOOK_MS = 500
"""How often anything is looked at; in between a request pays one comparison."""

REPORT_MS = 10_000
"""Time between two reports of counters."""

FIRST_REPORT_MS = 2_000
"""When the first one goes: many isolates live for seconds."""


@dataclass(slots=True)
class Chores:
    """When each kind of work was last begun."""

    policy_at_ms: int = 0
    model_at_ms: int = 0
    report_at_ms: int = 0

    def policy_due(self, now_ms: int) -> bool:
        """Return whether to ask for a newer policy snapshot, and note it as begun."""
        due = now_ms - self.policy_at_ms >= policy_cache.CHECK_MS
        if due:
            self.policy_at_ms = now_ms
        return due

    def model_due(self, now_ms: int) -> bool:
        """Return whether to ask for a newer model, and note it as begun."""
        due = now_ms - self.model_at_ms >= model_swap.CHECK_MS
        if due:
            self.model_at_ms = now_ms
        return due

    def report_due(self, now_ms: int) -> bool:
        """Return whether to report what was counted, and note it as begun."""
        if self.report_at_ms == 0:
            self.report_at_ms = now_ms - REPORT_MS + FIRST_REPORT_MS
        due = now_ms - self.report_at_ms >= REPORT_MS
        if due:
            self.report_at_ms = now_ms
        return due
