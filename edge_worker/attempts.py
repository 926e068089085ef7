"""When the origin may be asked for a bundle again: refreshes keep their distance, failures more."""

from collections import OrderedDict
from dataclasses import dataclass

KEYS_MAX = 1_024
"""Bundles whose last attempts are remembered; a forgotten one is merely asked for once more."""

REFRESH_PAUSE_MS = 2_000
"""Shortest time between two refreshes of a bundle that is merely old."""

FAILED_PAUSE_MS = 1_000
"""After a failed attempt, doubled by each further one."""

FAILED_PAUSE_MAX_MS = 8_000
"""An origin that is back is noticed within this."""

REFUSED_PAUSE_MS = 60_000
"""After an answer that no repetition changes: the origin does not know what was asked for."""


@dataclass(slots=True)
class _Attempt:
    """When a bundle was last asked for, and until when it is not to be asked for again."""

    at_ms: int
    failures: int = 0
    not_before_ms: int = 0


class Attempts:
    """What was asked for lately, by bundle key."""

    def __init__(self) -> None:
        self._attempts: OrderedDict[str, _Attempt] = OrderedDict()

    def __len__(self) -> int:
        return len(self._attempts)

    def started(self, key: str, now_ms: int) -> None:
        """Note that the origin is asked now."""
        self._of(key, now_ms).at_ms = now_ms

    def succeeded(self, key: str) -> None:
        """Note that a bundle came."""
        known = self._attempts.get(key)
        if known is not None:
            known.failures = known.not_before_ms = 0

    def failed(self, key: str, now_ms: int, refused: bool = False) -> None:
        """Note that none came; ``refused`` says that asking again will not help soon."""
        known = self._of(key, now_ms)
        pause_ms = min(FAILED_PAUSE_MS << min(known.failures, 10), FAILED_PAUSE_MAX_MS)
        known.failures += 1
        known.not_before_ms = now_ms + (REFUSED_PAUSE_MS if refused else pause_ms)

    def is_hopeless(self, key: str, now_ms: int) -> bool:
        """Return whether the origin failed this bundle so lately that nobody asks again."""
        known = self._attempts.get(key)
        return known is not None and now_ms < known.not_before_ms

    def may_start(self, key: str, now_ms: int, pause_ms: int = REFRESH_PAUSE_MS) -> bool:
        """Return whether the bundle may be asked for behind an answer."""
        known = self._attempts.get(key)
        if known is None:
            return True
        return now_ms >= max(known.at_ms + pause_ms, known.not_before_ms)

    def _of(self, key: str, now_ms: int) -> _Attempt:
        known = self._attempts.setdefault(key, _Attempt(now_ms))
        self._attempts.move_to_end(key)
        if len(self._attempts) > KEYS_MAX:
            self._attempts.popitem(last=False)
        return known
