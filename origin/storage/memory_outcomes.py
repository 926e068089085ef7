"""The history of outcomes inside one transaction in memory: written down first, done at commit."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from attune.context import bandit_bucket
from attune.contract.event import Impression
from attune.contract.served import ServedSlate
from origin.storage.outcomes import ACTED, KeptInteraction, OutboxEntry, PositionCount, ShownSlate

Dated = tuple[KeptInteraction, int]


@dataclass(slots=True)
class OutcomeTables:
    """What PostgreSQL's tables of outcomes hold, under their primary keys or in their order."""

    impressions: dict[str, Impression] = field(default_factory=dict[str, Impression])
    interactions: list[Dated] = field(default_factory=list[Dated])
    of_slate: defaultdict[str, list[KeptInteraction]] = field(
        default_factory=lambda: defaultdict[str, list[KeptInteraction]](list)
    )
    open_slates: dict[str, int] = field(default_factory=dict[str, int])
    outbox: dict[int, OutboxEntry] = field(default_factory=dict[int, OutboxEntry])
    outbox_ids: int = 0
    served: dict[str, tuple[ServedSlate, int]] = field(
        default_factory=dict[str, tuple[ServedSlate, int]]
    )
    fittings: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def keep(self, kept: Iterable[KeptInteraction], now_ms: int) -> None:
        """Append to the history of interactions."""
        for one in kept:
            self.interactions.append((one, now_ms))
            if one.slate_id is not None:
                self.of_slate[one.slate_id].append(one)

    def count_of_user(self, user_id: str, until_ms: int) -> dict[str, int]:
        """Return by table how many rows are the user's and not later."""
        shown = self._shown_to(user_id, until_ms)
        return {
            "impressions": len(shown),
            "interactions": sum(_is_of(one, user_id, until_ms) for one, _ in self.interactions),
            "served_slates": len(self._served_to(user_id, until_ms)),
            "open_slates": sum(slate_id in self.open_slates for slate_id in shown),
        }

    def erase_user(self, user_id: str, until_ms: int) -> None:
        """Remove the user's rows that are not later."""
        for slate_id in self._shown_to(user_id, until_ms):
            del self.impressions[slate_id]
            self.open_slates.pop(slate_id, None)
        for slate_id in self._served_to(user_id, until_ms):
            del self.served[slate_id]
        self.refill(dated for dated in self.interactions if not _is_of(dated[0], user_id, until_ms))

    def _shown_to(self, user_id: str, until_ms: int) -> list[str]:
        shown = self.impressions.items()
        return [k for k, v in shown if v.user_id == user_id and v.occurred_at_ms <= until_ms]

    def _served_to(self, user_id: str, until_ms: int) -> list[str]:
        served = self.served.items()
        return [k for k, (v, _) in served if v.user_id == user_id and v.served_at_ms <= until_ms]

    def refill(self, interactions: Iterable[Dated]) -> None:
        """Hold exactly these interactions."""
        dated = list(interactions)
        self.interactions = []
        self.of_slate.clear()
        for one, now_ms in dated:
            self.keep([one], now_ms)


def _is_of(one: KeptInteraction, user_id: str, until_ms: int) -> bool:
    return one.user_id == user_id and one.occurred_at_ms <= until_ms


class MemoryOutcomes:
    """An ``OutcomeTransaction``: reads see what is committed, writes wait for the commit."""

    def __init__(self, outcomes: OutcomeTables) -> None:
        self._outcomes = outcomes
        self._writes: list[Callable[[], object]] = []

    async def add_impressions(self, impressions: Sequence[Impression], closes_at_ms: int) -> None:
        """Keep the impressions, open until then; one whose slate is known already is skipped."""

        def write() -> None:
            for impression in impressions:
                self._outcomes.impressions.setdefault(impression.slate_id, impression)
                self._outcomes.open_slates.setdefault(impression.slate_id, closes_at_ms)

        self._writes.append(write)

    async def shown_slates(self, slate_ids: Sequence[str]) -> Mapping[str, ShownSlate]:
        """Return those slates that were seen."""
        known = self._outcomes.impressions
        return {
            slate_id: self._shown_slate(slate_id) for slate_id in slate_ids if slate_id in known
        }

    async def add_interactions(self, kept: Sequence[KeptInteraction], now_ms: int) -> None:
        """Append to the history of interactions."""
        self._writes.append(lambda: self._outcomes.keep(kept, now_ms))

    async def interactions_with(self, slate_ids: Sequence[str]) -> Sequence[KeptInteraction]:
        """Return what was done with items of the slates, in no order."""
        return [one for name in set(slate_ids) for one in self._outcomes.of_slate.get(name, ())]

    async def due_slates(self, now_ms: int, limit: int) -> Sequence[ShownSlate]:
        """Return slates whose time to earn is over."""
        open_slates = sorted(self._outcomes.open_slates.items(), key=lambda entry: entry[1])
        due = (slate_id for slate_id, closes_at_ms in open_slates if closes_at_ms <= now_ms)
        return [self._shown_slate(slate_id) for slate_id in islice(due, limit)]

    async def close_slates(self, slate_ids: Sequence[str]) -> None:
        """Let the slates earn no more."""
        for slate_id in slate_ids:
            self._writes.append(lambda key=slate_id: self._outcomes.open_slates.pop(key, None))

    async def add_outbox(self, entries: Sequence[OutboxEntry]) -> None:
        """Send the records to their topics once this transaction is committed."""

        def write() -> None:
            for entry in entries:
                self._outcomes.outbox_ids += 1
                outbox_id = self._outcomes.outbox_ids
                self._outcomes.outbox[outbox_id] = replace(entry, outbox_id=outbox_id)

        self._writes.append(write)

    async def outbox(self, limit: int) -> Sequence[OutboxEntry]:
        """Return the oldest entries."""
        return list(islice(self._outcomes.outbox.values(), limit))

    async def drop_outbox(self, outbox_ids: Sequence[int]) -> None:
        """Forget the entries: their topics have them."""
        for outbox_id in outbox_ids:
            self._writes.append(lambda key=outbox_id: self._outcomes.outbox.pop(key, None))

    async def add_served(self, slates: Sequence[ServedSlate], now_ms: int) -> None:
        """Keep the decisions; one that is known already is skipped."""
        for slate in slates:
            self._writes.append(
                lambda one=slate: self._outcomes.served.setdefault(one.slate_id, (one, now_ms))
            )

    async def position_counts(self, before_ms: int, slates_max: int) -> Sequence[PositionCount]:
        """Return what became of the latest slates that were seen before then, by position."""
        known = self._outcomes.impressions.values()
        seen = [shown for shown in known if shown.occurred_at_ms < before_ms]
        seen.sort(key=lambda shown: -shown.occurred_at_ms)
        counts: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        for shown in seen[:slates_max]:
            acts = self._outcomes.of_slate.get(shown.slate_id, ())
            acted = {one.item_id for one in acts if one.action in ACTED}
            for item in shown.items:
                count = counts[item.item_id, item.position]
                count[0] += 1
                count[1] += item.item_id in acted
        return [PositionCount(*key, *count) for key, count in counts.items()]

    async def latest_served(self, limit: int) -> Sequence[ServedSlate]:
        """Return the latest decisions, newest first."""
        slates = [slate for slate, _ in self._outcomes.served.values()]
        slates.sort(key=lambda slate: (slate.served_at_ms, slate.slate_id), reverse=True)
        return slates[:limit]

    async def drop_fitting(self, name: str) -> None:
        """Forget what was fitted under the name."""
        self._writes.append(lambda: self._outcomes.fittings.pop(name, None))

    async def fitting(self, name: str) -> bytes | None:
        """Return what was fitted under the name, if anything was."""
        return self._outcomes.fittings.get(name)

    async def put_fitting(self, name: str, value: bytes, now_ms: int) -> None:
        """Keep what was fitted under the name."""
        self._writes.append(lambda: self._outcomes.fittings.update({name: value}))

    async def forget_outcomes(self, before_ms: int, limit: int) -> int:
        """Drop up to ``limit`` rows of each kind that arrived earlier; return how many went."""
        tables = self._outcomes
        old = [number for number, (_, at) in enumerate(tables.interactions) if at < before_ms]
        interactions = set(old[:limit])
        served = [name for name, (_, at) in tables.served.items() if at < before_ms][:limit]
        shown = [
            name
            for name, one in tables.impressions.items()
            if one.occurred_at_ms < before_ms and name not in tables.open_slates
        ][:limit]

        def write() -> None:
            dated = enumerate(tables.interactions)
            tables.refill([one for number, one in dated if number not in interactions])
            for name in served:
                del tables.served[name]
            for name in shown:
                del tables.impressions[name]

        self._writes.append(write)
        return len(interactions) + len(served) + len(shown)

    def _shown_slate(self, slate_id: str) -> ShownSlate:
        shown = self._outcomes.impressions[slate_id]
        return ShownSlate(
            slate_id=slate_id,
            bucket=bandit_bucket(shown.context),
            shown_at_ms=shown.occurred_at_ms,
            items=shown.items,
            is_open=slate_id in self._outcomes.open_slates,
        )
