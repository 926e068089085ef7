"""Events on their way in: read, gated by consent, handed on to the origin.

Nothing is acknowledged here that the origin's event log does not have: while the origin is away
the browser is told to come again, and keeps its events.
"""

import json
from dataclasses import dataclass

from attune.contract import SCHEMA_VERSION
from attune.contract.decode import ContractError
from attune.contract.event import EventBatch, Impression, pack_event, read_event_batch

RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class Intake:
    """A batch as read: what goes to the origin, and who acted."""

    batch: EventBatch
    forward: dict[str, object]
    users: tuple[str, ...]


def read_intake(raw: object, global_privacy_control: bool) -> Intake:
    """Return the batch, consent applied.

    Raises:
        ContractError: when the body is no batch.
    """
    batch = read_event_batch(raw, global_privacy_control)
    packed: dict[str, object] = {
        "schema": SCHEMA_VERSION,
        "events": [pack_event(event) for event in batch.events],
    }
    acted = {
        event.user_id: None
        for event in batch.events
        if event.user_id is not None and not isinstance(event, Impression)
    }
    return Intake(batch, packed, tuple(acted))


def outcome(batch: EventBatch) -> tuple[int, bytes]:
    """Return the answer to a batch whose events the log has: what was taken, dropped and refused.

    A batch without one usable event is refused as a whole, unless consent is the reason.
    """
    body: dict[str, object] = {
        "accepted": len(batch.events),
        "dropped_by_consent": batch.dropped_by_consent,
        "rejected": [
            {"index": refused.index, "field": refused.field, "problem": refused.problem}
            for refused in batch.rejected
        ],
    }
    if batch.events or batch.dropped_by_consent:
        return 202, json.dumps(body).encode()
    first = batch.rejected[0]
    error = ContractError(first.field, first.problem).within(f"[{first.index}]").within("events")
    return 422, json.dumps(body | error.as_json()).encode()
