"""The feature store's history in memory: the readable form of what PostgreSQL is asked."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from attune.contract.event import Impression
from attune.contract.recommendation import RecentInteraction
from origin.storage.memory_outcomes import OutcomeTables
from origin.storage.offline import Decision, Place
from origin.storage.outcomes import KeptInteraction


class MemoryOffline:
    """An ``OfflineStore`` over the tables of a store in memory."""

    def __init__(self, tables: OutcomeTables) -> None:
        self._tables = tables

    async def count_decisions(self, from_ms: int, to_ms: int) -> int:
        """Return how many slates were decided in [from_ms, to_ms)."""
        return sum(from_ms <= decision.at_ms < to_ms for decision in self._decisions())

    async def decisions(self, after: Place, to_ms: int, limit: int) -> Sequence[Decision]:
        """Return decisions behind ``after`` and before ``to_ms``, in the order of time and id."""
        ordered = sorted(self._decisions(), key=lambda one: (one.at_ms, one.slate_id))
        behind = (one for one in ordered if (one.at_ms, one.slate_id) > after)
        return list(islice((one for one in behind if one.at_ms < to_ms), limit))

    async def seen(self, slate_ids: Sequence[str]) -> Mapping[str, Impression]:
        """Return the impressions of those slates that were seen."""
        shown = self._tables.impressions
        return {slate_id: shown[slate_id] for slate_id in slate_ids if slate_id in shown}

    async def interactions_with(self, slate_ids: Sequence[str]) -> Sequence[KeptInteraction]:
        """Return what was done with items of the slates, in no order."""
        return [one for name in set(slate_ids) for one in self._tables.of_slate.get(name, ())]

    async def sequences(
        self, wanted: Sequence[tuple[str, int]], limit: int
    ) -> Sequence[Sequence[RecentInteraction]]:
        """Return for each (user, instant) the user's last interactions before it, oldest first."""
        return [self._sequence(user_id, before_ms, limit) for user_id, before_ms in wanted]

    def _sequence(self, user_id: str, before_ms: int, limit: int) -> list[RecentInteraction]:
        known = [
            RecentInteraction(one.item_id, one.action, one.occurred_at_ms)
            for one, _ in self._tables.interactions
            if one.user_id == user_id
            and one.occurred_at_ms < before_ms
            and not self._is_of_later(one.slate_id, before_ms)
        ]
        known.sort(key=lambda one: (one.occurred_at_ms, one.item_id, one.action))
        return known[-limit:]

    def _is_of_later(self, slate_id: str | None, before_ms: int) -> bool:
        """Return whether the slate was served or seen at the instant or after it."""
        served = self._tables.served.get(slate_id or "")
        shown = self._tables.impressions.get(slate_id or "")
        return (served is not None and served[0].served_at_ms >= before_ms) or (
            shown is not None and shown.occurred_at_ms >= before_ms
        )

    def _decisions(self) -> Iterator[Decision]:
        for slate, _ in self._tables.served.values():
            yield Decision(slate.slate_id, slate.served_at_ms, slate)
        for slate_id, shown in self._tables.impressions.items():
            if slate_id not in self._tables.served:
                yield Decision(slate_id, shown.occurred_at_ms)
