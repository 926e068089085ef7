"""Candidate bundles in the isolate's memory: what is held, how fresh it is, what is due."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from attune.contract.bundle import Bundle
from attune.contract.recommendation import RecommendationRequest
from attune.freshness import Freshness, freshness
from edge_worker.attempts import REFRESH_PAUSE_MS

BYTES_MAX = 16 * 1024 * 1024
"""Of the worker's 128 MB; the interpreter and its library take some 60. Bundles that had to go are
found again in the Cache API."""

DECODED_FACTOR = 4
"""A decoded bundle takes so many times its wire form: ids, cards and columns become objects."""

USERS_MAX = 1_024
"""Users whose last action is remembered, so that their bundles are renewed."""

ACTIVE_PAUSE_MS = 250
"""The same after its user did something: the stream's effect is some 100 ms away, and a refresh
that came too early must not cost two seconds of freshness."""

STREAM_DELAY_MS = 2_000
"""The stream's effect is in a bundle made this long after an action; an earlier one is renewed."""

ACTIVE_MS = 60_000
"""How long after an action a bundle that does not know it keeps being renewed."""


class Found(NamedTuple):
    """A bundle that the cache holds, with how fresh it is."""

    bundle: Bundle
    freshness: Freshness


class BundleCache:
    """Bundles by key, the least recently used first out; each weighs what its wire form says."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes_held = 0
        self._bundles: OrderedDict[str, tuple[Bundle, int]] = OrderedDict()
        self._actions: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._bundles)

    @property
    def bytes_held(self) -> int:
        """What the bundles weigh."""
        return self._bytes_held

    def find(self, key: str, now_ms: int) -> Found | None:
        """Return the bundle under ``key``, however old it is."""
        held = self._bundles.get(key)
        if held is None:
            return None
        self._bundles.move_to_end(key)
        bundle = held[0]
        age = freshness(bundle.created_at_ms, bundle.fresh_ms, bundle.stale_ms, now_ms)
        return Found(bundle, age)

    def put(self, key: str, bundle: Bundle, wire_bytes: int) -> None:
        """Keep the bundle, ``wire_bytes`` long on the wire, unless a younger one is held."""
        held = self._bundles.get(key)
        if held is not None:
            if held[0].created_at_ms > bundle.created_at_ms:
                return
            self._bytes_held -= held[1]
        weight = DECODED_FACTOR * wire_bytes
        self._bundles[key] = bundle, weight
        self._bundles.move_to_end(key)
        self._bytes_held += weight
        while self._bytes_held > self._bytes_max and len(self._bundles) > 1:
            _, (_, freed) = self._bundles.popitem(last=False)
            self._bytes_held -= freed

    def user_acted(self, user_ids: Iterable[str], now_ms: int) -> None:
        """Note that these users did something: bundles made before that are due."""
        for user_id in user_ids:
            self._actions[user_id] = now_ms
            self._actions.move_to_end(user_id)
        while len(self._actions) > USERS_MAX:
            self._actions.popitem(last=False)

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
        latest = max([recent.occurred_at_ms for recent in request.recent], default=0)
        # The user may have gone on elsewhere meanwhile: then the embedding covers this session's
        # latest, but an item of it may still be one that the bundle cannot place.
        known_until_ms = min(bundle.covers_until_ms, bundle.created_at_ms)
        return latest > known_until_ms and now_ms - latest < ACTIVE_MS
