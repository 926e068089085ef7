"""Events as the processors get them, for tests: what does not matter has a default."""

from attune.consent import Consent
from attune.context import Context
from attune.contract.event import Action, Event, Impression, Interaction, ShownItem
from kafka_consumers.batch import Batch
from origin.storage.port import UserRow

HOUR_MS = 3_600_000


def interaction(
    item_id: str,
    action: Action = "click",
    user_id: str | None = "ann",
    at_ms: int = HOUR_MS,
    event_id: str = "",
    slate_id: str | None = None,
) -> Interaction:
    return Interaction(
        event_id=event_id or f"{user_id}-{item_id}-{action}-{at_ms}",
        consent=Consent.COHORT if user_id is None else Consent.FULL,
        user_id=user_id,
        session_id="visit",
        item_id=item_id,
        action=action,
        occurred_at_ms=at_ms,
        surface="home",
        context=Context(device="mobile"),
        slate_id=slate_id,
    )


def impression(
    slate_id: str, *item_ids: str, user_id: str | None = "ann", at_ms: int = HOUR_MS
) -> Impression:
    return Impression(
        event_id=f"shown-{slate_id}",
        consent=Consent.COHORT if user_id is None else Consent.FULL,
        user_id=user_id,
        session_id="visit",
        slate_id=slate_id,
        items=tuple(ShownItem(item_id, place, 0.5) for place, item_id in enumerate(item_ids)),
        occurred_at_ms=at_ms,
        surface="home",
        context=Context(device="mobile"),
        policy_version=1,
        model_version="test",
    )


def batch(*events: Event, rows: tuple[UserRow, ...] = ()) -> Batch:
    known = {row.user_id: row for row in rows}
    named = {event.user_id for event in events if event.user_id is not None}
    return Batch(
        events, {name: known.get(name) or UserRow(name) for name in sorted(named)}, HOUR_MS
    )
