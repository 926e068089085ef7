"""Deferred events in memory."""

from collections.abc import Iterable

from origin.storage.deferred import DeferredEvents


class DeferredTable(dict[str, DeferredEvents]):
    """What waits, by user."""

    def defer(self, rows: Iterable[DeferredEvents]) -> None:
        """Append the events to those that wait."""
        for row in rows:
            before = self.get(row.user_id)
            if before is not None:
                row = DeferredEvents(
                    row.user_id,
                    before.count + row.count,
                    max(before.latest_ms, row.latest_ms),
                    before.events + row.events,
                )
            self[row.user_id] = row

    def drop(self, rows: Iterable[DeferredEvents]) -> None:
        """Remove what was taken."""
        for row in rows:
            self.pop(row.user_id, None)
