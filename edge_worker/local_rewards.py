"""This PoP's own rewards: what its visitors did counts here at once, not with the next snapshot.

An acknowledged batch says where the event log put its events. Each event's effect on the posteriors
is kept beside that place and added to the snapshot in force, until a snapshot says that it covers
the place (``PolicySnapshot.covers``): from then on it is in the snapshot's own numbers. So nothing
counts twice, whatever comes first.

An event's place is known exactly when its batch lies in one partition, as one visitor's does: the
batch's records follow each other. Otherwise the whole batch is dropped as soon as a snapshot may
cover its first record, which can only count too little, and for seconds.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from attune.context import bandit_bucket
from attune.contract.event import ACTIONS, Event, Impression
from attune.reward import raised_reward

PENDING_MAX = 2_000
"""Events whose effect is kept; at 100 clicks a second a snapshot is due long before."""

PENDING_MS = 60_000
"""A snapshot that does not come for so long says that the stream stands still: then these few
clicks of one PoP are better forgotten than held against everything unknown."""

EARNED_MAX = 4_096
"""Items of slates whose reward is remembered, so that a click counts once and a purchase after it
only what it adds."""


class Delta(NamedTuple):
    """What an event adds to the counts of an item in a bucket."""

    bucket: str
    item_id: str
    impressions: float
    reward: float


class _Pending(NamedTuple):
    """Deltas, with the first place of the log in each partition that holds them."""

    first_offsets: Mapping[int, int]
    deltas: Sequence[Delta]
    since_ms: int


def effects(events: Iterable[Event]) -> list[list[object]]:
    """Return what the rewards of a batch are made of, in plain values, one entry per event."""
    return [_effect(event) for event in events]


def _effect(event: Event) -> list[object]:
    if event.slate_id is None:
        return []
    bucket = bandit_bucket(event.context)
    if isinstance(event, Impression):
        items = list(dict.fromkeys(item.item_id for item in event.items))
        return [event.slate_id, bucket, "impression", items]
    return [event.slate_id, bucket, event.action, [event.item_id]]


class LocalRewards:
    """The effects of acknowledged batches that no snapshot covers yet."""

    def __init__(self) -> None:
        self._pending: deque[_Pending] = deque(maxlen=PENDING_MAX)
        self._earned: OrderedDict[tuple[str, str], float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pending)

    def deltas(self) -> Iterable[Delta]:
        """Return all that is to be added to the snapshot in force."""
        return (delta for pending in self._pending for delta in pending.deltas)

    def acknowledged(
        self, effects: Sequence[Sequence[object]], positions: Mapping[int, int], now_ms: int
    ) -> list[Delta]:
        """Take a batch that the log has; return what is to be added for it.

        Args:
            effects: what ``effects`` returned.
            positions: the offset of the batch's last record in each partition; none where the
                batch has no place yet, and then nothing is added.
            now_ms: the time.
        """
        added: list[Delta] = []
        if not positions:
            return added
        last_place = len(effects) - 1
        for place, effect in enumerate(effects):
            deltas = self._folded(effect)
            if deltas:
                after = last_place - place if len(positions) == 1 else last_place
                firsts = {part: offset - after for part, offset in positions.items()}
                self._pending.append(_Pending(firsts, deltas, now_ms))
                added += deltas
        return added

    def settle(self, covers: Mapping[int, int], now_ms: int) -> bool:
        """Drop what a snapshot covers or what is too old; return whether anything went."""
        before = len(self._pending)
        self._pending = deque(
            (
                pending
                for pending in self._pending
                if now_ms - pending.since_ms < PENDING_MS
                and all(
                    covers.get(part, 0) <= first for part, first in pending.first_offsets.items()
                )
            ),
            PENDING_MAX,
        )
        return len(self._pending) < before

    def _folded(self, effect: Sequence[object]) -> list[Delta]:
        """Return what an event adds, given what its slate has earned here before."""
        if not effect:
            return []
        slate_id, bucket, kind = cast("tuple[str, str, str]", tuple(effect[:3]))
        item_ids = cast("Sequence[str]", effect[3])
        if kind == "impression":
            fresh = [item for item in item_ids if self._earn(slate_id, "/" + item, 0.0) is None]
            return [Delta(bucket, item_id, 1.0, 0.0) for item_id in fresh]
        if kind not in ACTIONS:
            return []
        key = slate_id, item_ids[0]
        before = self._earned.get(key, 0.0)
        after = raised_reward(before, kind)
        if after == before:
            return []
        self._earn(*key, after)
        return [Delta(bucket, item_ids[0], 0.0, after - before)]

    def _earn(self, slate_id: str, item_id: str, reward: float) -> float | None:
        """Remember what an item of a slate earned; return what was known before."""
        key = slate_id, item_id
        known = self._earned.get(key)
        self._earned[key] = reward
        self._earned.move_to_end(key)
        while len(self._earned) > EARNED_MAX:
            self._earned.popitem(last=False)
        return known
