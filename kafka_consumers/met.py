"""The items that users have met: what a slate does not show again."""

from collections.abc import Iterable

from attune.contract.event import Interaction
from kafka_consumers.batch import Batch
from origin.storage.port import LearningTransaction, UserItem


class MetItems:
    """The processor of each user's latest interaction with each item."""

    async def process(self, batch: Batch, transaction: LearningTransaction) -> None:
        """Remember what the batch's users met."""
        if met := met_items(batch.interactions):
            await transaction.add_user_items(met)

    def forget(self) -> None:
        """Do nothing: nothing is remembered."""


def met_items(interactions: Iterable[Interaction]) -> list[UserItem]:
    """Return each user's latest interaction per item; a view never hides a stronger one."""
    latest: dict[tuple[str, str], UserItem] = {}
    for event in interactions:
        if event.user_id is None:
            continue
        key = event.user_id, event.item_id
        known = latest.get(key)
        action, at_ms = event.action, event.occurred_at_ms
        if known is not None:
            action = known.action if action == "view" else action
            at_ms = max(known.occurred_at_ms, at_ms)
        latest[key] = UserItem(*key, action, at_ms)
    return list(latest.values())
