"""Events as the processors get them, for tests: what does not matter has a default."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from attune.consent import Consent
from attune.context import Context
from attune.contract.event import Action, Event, Impression, Interaction, ShownItem
from attune.contract.item import Item
from kafka_consumers.batch import Batch
from kafka_consumers.users import Users
from origin.storage.memory import MemoryStore
from origin.storage.port import Embedding, UserRow

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


def batch(*events: Event) -> Batch:
    return Batch.of(events, HOUR_MS)


async def learned_users(
    *events: Event,
    rows: Sequence[UserRow] = (),
    items: Mapping[str, Embedding] = MappingProxyType({}),
    processor: Users | None = None,
) -> dict[str, UserRow]:
    """Return the users after one batch, given their rows before and the items' embeddings."""
    store = MemoryStore()
    await store.put_items([Item(item_id=item_id, title=item_id) for item_id in items], HOUR_MS)
    await store.put_embeddings("test", items)
    async with store.transaction() as transaction:
        await transaction.put_users(rows)
    async with store.transaction() as transaction:
        await (processor or Users()).process(batch(*events), transaction)
    async with store.transaction() as transaction:
        named = {event.user_id for event in events if event.user_id is not None}
        return dict(await transaction.users(sorted(named)))
