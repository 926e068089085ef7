"""Slates that were served, waiting to be sent to the origin behind an answer.

Serving one costs an append; the record is made when a batch is sent. Past the bound the oldest are
dropped and counted: they are there to learn from, and an answer never waits for them.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, NamedTuple

from attune.context import CONTEXT_VERSION
from attune.contract import SCHEMA_VERSION
from attune.contract.recommendation import RecommendationRequest, Slate
from attune.contract.served import SLATES_PER_BATCH_MAX
from attune.features import EDGE_FEATURES
from attune.recommend import Prepared
from edge_worker.answer import Decided
from edge_worker.flight import Flight

WAITING_MAX = 300
"""Each holds a slate and its items' rows, some 4 KB: 1.2 MB in all."""

SEND_AFTER_MS = 2_000
"""The oldest waits at most this long while requests come in."""

RETRY_AFTER_MS = 5_000

LOST_AFTER_MS = 30_000
"""A batch whose sending was cut off with its request goes back into the queue after this."""


class Served(NamedTuple):
    """A decision as the queue holds it: without the bundle, which may leave the memory."""

    request: RecommendationRequest
    slate: Slate
    candidates: int
    rows: list[bytes]
    model_version: str
    served_at_ms: int


class ServedSlates:
    """A bounded queue with at most one batch on its way."""

    def __init__(self, counter: Counter[str]) -> None:
        self._counter = counter
        self._waiting: deque[Served] = deque()
        self._sending: list[Served] = []
        self._due_at_ms = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._sending)

    def add(self, flight: Flight, ready: Prepared, decided: Decided, model_version: str) -> None:
        """Note a served slate, if the visitor's consent allows it."""
        request, now_ms = flight.request, flight.now_ms
        if not request.consent.allows_events:
            return
        if not self._waiting and not self._sending:
            self._due_at_ms = now_ms + SEND_AFTER_MS
        slate, scored, places = decided.slate, decided.scored, ready.columns.places
        rows = (
            [] if scored is None else scored.rows_of([places[item.item_id] for item in slate.items])
        )
        self._waiting.append(
            Served(request, slate, len(ready.eligible), rows, model_version, now_ms)
        )
        if len(self._waiting) > WAITING_MAX:
            self._waiting.popleft()
            self._counter["dropped"] += 1

    def has_full_batch(self) -> bool:
        """Return whether a whole batch waits and none is on its way."""
        return len(self._waiting) >= SLATES_PER_BATCH_MAX and not self._sending

    def is_due(self, now_ms: int) -> bool:
        """Return whether a batch should go now."""
        if now_ms >= self._due_at_ms:
            return bool(self._waiting or self._sending)
        return self.has_full_batch()

    def take(self, now_ms: int) -> dict[str, object] | None:
        """Return the body of the next batch; ``sent`` says what became of it."""
        if not self.is_due(now_ms):
            return None
        self._put_back()
        size = min(len(self._waiting), SLATES_PER_BATCH_MAX)
        self._sending = [self._waiting.popleft() for _ in range(size)]
        self._due_at_ms = now_ms + LOST_AFTER_MS
        return {"schema": SCHEMA_VERSION, "slates": [record(served) for served in self._sending]}

    def sent(self, accepted: bool, now_ms: int) -> None:
        """Note what became of the batch on its way."""
        self._counter["sent" if accepted else "sent_back"] += len(self._sending)
        if accepted:
            self._sending = []
            self._due_at_ms = now_ms + SEND_AFTER_MS
        else:
            self._put_back()
            self._due_at_ms = now_ms + RETRY_AFTER_MS

    def _put_back(self) -> None:
        self._waiting.extendleft(reversed(self._sending))
        self._sending = []
        while len(self._waiting) > WAITING_MAX:
            self._waiting.popleft()
            self._counter["dropped"] += 1


def record(served: Served) -> dict[str, object]:
    """Return the wire form of ``attune.contract.served``, written straight from the decision."""
    request, slate = served.request, served.slate
    rows = served.rows or [b""] * len(slate.items)
    items: list[dict[str, Any]] = [
        {
            "item_id": item.item_id,
            "position": item.position,
            "propensity": item.propensity,
            "base_score": item.base_score,
            "explored": item.explored,
            "features": row,
        }
        for item, row in zip(slate.items, rows, strict=True)
    ]
    return {
        "schema": SCHEMA_VERSION,
        "slate_id": slate.slate_id,
        "user_id": request.user_id,
        "session_id": request.session_id,
        "consent": slate.consent.value,
        "surface": slate.surface,
        "context": request.context.pack(),
        "served_at_ms": served.served_at_ms,
        "bundle_version": slate.versions.bundle,
        "policy_version": slate.versions.policy,
        "model_version": served.model_version,
        "context_version": CONTEXT_VERSION,
        "degraded": slate.degraded,
        "epsilon": slate.epsilon,
        "seed": slate.seed,
        "candidates": served.candidates,
        "exploration_rate": slate.exploration_rate,
        "feature_names": list(EDGE_FEATURES) if any(rows) else [],
        "items": items,
    }
