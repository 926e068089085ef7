"""Whether the origin is worth waiting for."""

from dataclasses import dataclass

PAUSE_MS = 2_000
"""After a failure nobody waits for this long: answers come from the ladder at once, and a fetch
behind one of them finds out when the origin is back."""

PROBE_MS = 200
"""While it fails, the origin is asked for one bundle in this time, whatever the traffic: enough to
find out at once that it is back, and nothing to one that is coming up."""

LATE_MAX = 3
"""Missed deadlines in a row that count as a failure: one slow bundle says little."""


@dataclass(slots=True)
class OriginHealth:
    """What the last fetches said."""

    failed_at_ms: int = -PAUSE_MS
    failures_in_a_row: int = 0
    lates_in_a_row: int = 0
    probed_at_ms: int = -PROBE_MS

    def is_worth_waiting_for(self, now_ms: int) -> bool:
        """Return whether a request may wait."""
        return self.failures_in_a_row == 0 or now_ms - self.failed_at_ms >= PAUSE_MS

    def may_be_asked(self, now_ms: int) -> bool:
        """Return whether a bundle may be fetched behind an answer, and note it as asked for."""
        if self.failures_in_a_row > 0:
            if now_ms - self.probed_at_ms < PROBE_MS:
                return False
            self.probed_at_ms = now_ms
        return True

    def answered(self) -> None:
        """Note an answer."""
        self.failures_in_a_row = 0
        self.lates_in_a_row = 0

    def late(self, now_ms: int) -> None:
        """Note that a request stopped waiting; the fetch itself goes on."""
        self.lates_in_a_row += 1
        if self.lates_in_a_row >= LATE_MAX:
            self.failed(now_ms)

    def failed(self, now_ms: int) -> None:
        """Note an error, or a fetch that was given up."""
        self.failures_in_a_row += 1
        self.failed_at_ms = now_ms
