"""Candidate bundles in the isolate's memory: what is held, what may be served, what is due."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from attune.contract.bundle import Bundle
from attune.contract.recommendation import RecommendationRequest
from attune.freshness import Freshness, freshness

Value = TypeVar("Value")

ENTRIES_MAX = 128
"""A decoded bundle of 200 candidates takes some 120 KB: 128 of them are 15 MB of the worker's 128.
Older ones are found again in the Cache API."""

USERS_MAX = 1_024
"""Users whose last action is remembered, so that their bundles are renewed."""

REFRESH_PAUSE_MS = 2_000
"""Shortest time between two refreshes of a bundle that is merely old."""

ACTIVE_PAUSE_MS = 250
"""The same after its user did something: the stream's effect is some 100 ms away, and a refresh
that came too early must not cost two seconds of freshness."""

STREAM_DELAY_MS = 2_000
"""The stream's effect is in a bundle made this long after an action; an earlier one is renewed."""

ACTIVE_MS = 60_000
"""How long after an action a bundle that does not know it keeps being renewed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A bundle that the cache holds, with how fresh it is."""

    bundle: Bundle
    freshness: Freshness


class BundleCache:
    """Least recently used bundles first out."""

    def __init__(self, entries_max: int = ENTRIES_MAX) -> None:
        self._entries_max = entries_max
        self._bundles: OrderedDict[str, Bundle] = OrderedDict()
        self._attempts: OrderedDict[str, int] = OrderedDict()
        self._actions: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._bundles)

    def find(self, key: str, now_ms: int) -> Found | None:
        """Return the bundle under ``key``, however old it is."""
        bundle = self._bundles.get(key)
        if bundle is None:
            return None
        self._bundles.move_to_end(key)
        age = freshness(bundle.created_at_ms, bundle.fresh_ms, bundle.stale_ms, now_ms)
        return Found(bundle, age)

    def put(self, key: str, bundle: Bundle) -> None:
        """Keep the bundle unless a younger one is held."""
        held = self._bundles.get(key)
        if held is not None and held.created_at_ms > bundle.created_at_ms:
            return
        _remember(self._bundles, key, bundle, self._entries_max)

    def user_acted(self, user_ids: Iterable[str], now_ms: int) -> None:
        """Note that these users did something: bundles made before that are due."""
        for user_id in user_ids:
            _remember(self._actions, user_id, now_ms, USERS_MAX)

    def attempted(self, key: str, now_ms: int) -> None:
        """Note that a fetch of ``key`` starts now."""
        _remember(self._attempts, key, now_ms, 4 * self._entries_max)

    def may_attempt(self, key: str, now_ms: int, pause_ms: int = REFRESH_PAUSE_MS) -> bool:
        """Return whether the last fetch of ``key`` is long enough ago."""
        return now_ms - self._attempts.get(key, -pause_ms) >= pause_ms

    def refresh_pause_ms(
        self, found: Found, request: RecommendationRequest, now_ms: int
    ) -> int | None:
        """Return how far apart refreshes of the bundle are now; None when it is good as it is.

        It is renewed behind answers when it is no longer fresh, and when the user has done
        something since that the stream will have learned from by now.
        """
        if self._misses_an_action(found.bundle, request, now_ms):
            return ACTIVE_PAUSE_MS
        return None if found.freshness == "fresh" else REFRESH_PAUSE_MS

    def _misses_an_action(
        self, bundle: Bundle, request: RecommendationRequest, now_ms: int
    ) -> bool:
        user_id = request.user_id
        if user_id is None or bundle.user_id != user_id:
            return False
        acted_at_ms = self._actions.get(user_id)
        if acted_at_ms is not None and bundle.created_at_ms < acted_at_ms + STREAM_DELAY_MS:
            return True
        latest = max((recent.occurred_at_ms for recent in request.recent), default=0)
        return latest > bundle.covers_until_ms and now_ms - latest < ACTIVE_MS


def _remember(held: OrderedDict[str, Value], key: str, value: Value, limit: int) -> None:
    held[key] = value
    held.move_to_end(key)
    while len(held) > limit:
        held.popitem(last=False)
