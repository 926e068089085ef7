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
    """A batch as read: what goes to the origin (nothing to send: empty), and who acted."""

    batch: EventBatch
    forward: bytes
    users: tuple[str, ...]


def read_intake(raw: object, global_privacy_control: bool) -> Intake:
    """Return the batch, consent applied.

    Raises:
        ContractError: when no event of the batch can be used and consent is not the reason.
    """
    batch = read_event_batch(raw, global_privacy_control)
    if batch.rejected and not batch.events and not batch.dropped_by_consent:
        first = batch.rejected[0]
        raise ContractError(first.field, first.problem).within(f"events[{first.index}]")
    packed = {"schema": SCHEMA_VERSION, "events": [pack_event(event) for event in batch.events]}
    acted = {
        event.user_id: None
        for event in batch.events
        if event.user_id is not None and not isinstance(event, Impression)
    }
    return Intake(batch, json.dumps(packed).encode() if batch.events else b"", tuple(acted))


def acknowledgement(batch: EventBatch) -> bytes:
    """Return the body of the 202: what was accepted, dropped by consent, and refused, and why."""
    return json.dumps(
        {
            "accepted": len(batch.events),
            "dropped_by_consent": batch.dropped_by_consent,
            "rejected": [
                {"index": refused.index, "field": refused.field, "problem": refused.problem}
                for refused in batch.rejected
            ],
        }
    ).encode()
