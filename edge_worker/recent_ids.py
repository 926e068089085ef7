"""The ids of events that the origin has: what comes again is acknowledged and not sent again."""

from collections import OrderedDict
from collections.abc import Iterable

IDS_MAX = 8_192
"""Some 1.5 MB. A browser repeats within seconds; what is repeated later the stream counts once."""


class RecentIds:
    """The ids of the events acknowledged last."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, event_ids: Iterable[str]) -> None:
        """Note events that the origin has; forget those acknowledged longest ago."""
        for event_id in event_ids:
            self._ids[event_id] = None
            self._ids.move_to_end(event_id)
        while len(self._ids) > IDS_MAX:
            self._ids.popitem(last=False)
