"""Events on their way in: read, gated by consent, told from repetitions, handed on to the origin.

Nothing is acknowledged here that the origin's event log does not have: while the origin is away
the browser is told to come again, and keeps its events.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping

from attune.contract import SCHEMA_VERSION
from attune.contract.decode import ContractError
from attune.contract.event import Event, EventBatch, pack_event, read_event_batch
from edge_worker.arrival import Arrival
from edge_worker.counters import Counters
from edge_worker.gate import Gate
from edge_worker.identity import identified_batch
from edge_worker.recent_ids import RecentIds
from edge_worker.segment import read_messages
from edge_worker.wire import pack

RETRY_AFTER_S = 2

BATCHES_MAX = 1_000
"""Batches between their phases; JavaScript finishes each, so more are a leak."""


class Intake:
    """One isolate's intake: batches between reading and acknowledgement."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters.events
        self._recent = RecentIds()
        self._batches: OrderedDict[int, tuple[Event, ...]] = OrderedDict()
        self._handles = 0

    def begin(self, gate: Gate, arrival: Arrival) -> dict[str, object]:
        """Return the plan of a batch in our own form: what to forward, how to acknowledge it.

        Raises:
            ContractError: when the body is no batch, or acts for somebody it does not prove.
        """
        arrived, headers = gate.identified(arrival, identified_batch)
        batch = read_event_batch(arrived.body, arrived.global_privacy_control)
        fresh, answer = self._sifted(batch)
        plan = self._plan(fresh, *_outcome(batch, answer))
        return {**plan, "headers": headers}

    def begin_messages(self, gate: Gate, arrival: Arrival, kind: str) -> dict[str, object]:
        """Return the plan of a call of the tracking API; ``kind`` is its path's last part.

        Raises:
            ContractError: when the body is no message, or its write key is not known.
        """
        gate.admit(arrival)
        read = read_messages(gate.settings, arrival, kind)
        self._counters["messages_ignored"] += read.ignored
        fresh, answer = self._sifted(read.batch)
        body = {"success": True, **answer, "ignored": read.ignored}
        return {**self._plan(fresh, 200, body), "headers": {}}

    def finish(self, handle: int, accepted: bool) -> tuple[Event, ...]:
        """Note what became of a batch; return its events, in the order in which they were sent."""
        events = self._batches.pop(handle, ())
        self._counters["accepted" if accepted else "turned_away"] += len(events)
        if accepted:
            self._recent.add(event.event_id for event in events)
        return events

    def _sifted(self, batch: EventBatch) -> tuple[tuple[Event, ...], dict[str, object]]:
        """Return the events that the origin may not have yet, and what the answer says of all."""
        fresh: dict[str, Event] = {}
        for event in batch.events:
            if event.event_id not in self._recent:
                fresh.setdefault(event.event_id, event)
        duplicates = len(batch.events) - len(fresh)
        self._counters["rejected"] += len(batch.rejected)
        self._counters["dropped_by_consent"] += batch.dropped_by_consent
        self._counters["duplicates"] += duplicates
        return tuple(fresh.values()), {
            "accepted": len(batch.events),
            "duplicates": duplicates,
            "dropped_by_consent": batch.dropped_by_consent,
            "rejected": [
                {"index": refused.index, "field": refused.field, "problem": refused.problem}
                for refused in batch.rejected
            ],
        }

    def _plan(
        self, events: tuple[Event, ...], status: int, body: Mapping[str, object]
    ) -> dict[str, object]:
        answer: dict[str, object] = {"status": status, "body": json.dumps(body).encode()}
        if not events:
            return answer
        self._handles += 1
        self._batches[self._handles] = events
        while len(self._batches) > BATCHES_MAX:
            self._batches.popitem(last=False)
        return {
            "handle": self._handles,
            "schema": SCHEMA_VERSION,
            "count": len(events),
            # One after the other, so that JavaScript can put several batches into one request.
            "forward": b"".join(pack(pack_event(event)) for event in events),
            "acknowledgement": answer,
            "retry_after_s": RETRY_AFTER_S,
        }


def _outcome(batch: EventBatch, answer: dict[str, object]) -> tuple[int, dict[str, object]]:
    """Return the answer to a batch whose events the log has: what was taken, dropped and refused.

    A batch without one usable event is refused as a whole, unless consent is the reason.
    """
    if batch.events or batch.dropped_by_consent:
        return 202, answer
    first = batch.rejected[0]
    error = ContractError(first.field, first.problem).within(f"[{first.index}]").within("events")
    return 422, {**answer, **error.as_json()}
