"""The port to the history of outcomes: slates, what was done with them, what that was worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from attune.contract.event import Action, Impression, ShownItem
from attune.contract.served import ServedSlate


class KeptInteraction(NamedTuple):
    """An interaction as the history keeps it. A tuple, because a batch makes thousands."""

    user_id: str | None
    slate_id: str | None
    item_id: str
    action: Action
    occurred_at_ms: int


@dataclass(frozen=True, slots=True)
class ShownSlate:
    """A slate that was seen, as rewards are joined to it; open while it may still earn."""

    slate_id: str
    bucket: str
    shown_at_ms: int
    items: tuple[ShownItem, ...]
    is_open: bool = True


class PositionCount(NamedTuple):
    """How often an item was shown at a position, and how often that led to something."""

    item_id: str
    position: int
    shown: int
    acted: int


ACTED: tuple[Action, ...] = ("click", "cart", "purchase")
"""What nobody does with an item that he has not looked at."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """Records of one key on their way to a topic, in their order."""

    topic: str
    key: bytes
    records: tuple[bytes, ...]
    outbox_id: int = 0


class OutcomeTransaction(Protocol):
    """The part of a learning transaction that is about outcomes."""

    async def add_impressions(self, impressions: Sequence[Impression], closes_at_ms: int) -> None:
        """Keep the impressions, open until then; one whose slate is known already is skipped."""
        ...

    async def shown_slates(self, slate_ids: Sequence[str]) -> Mapping[str, ShownSlate]:
        """Return those slates that were seen."""
        ...

    async def add_interactions(self, kept: Sequence[KeptInteraction], now_ms: int) -> None:
        """Append to the history of interactions."""
        ...

    async def interactions_with(self, slate_ids: Sequence[str]) -> Sequence[KeptInteraction]:
        """Return what was done with items of the slates, in no order."""
        ...

    async def due_slates(self, now_ms: int, limit: int) -> Sequence[ShownSlate]:
        """Return slates whose time to earn is over, locked; those of others are left out."""
        ...

    async def close_slates(self, slate_ids: Sequence[str]) -> None:
        """Let the slates earn no more."""
        ...

    async def add_outbox(self, entries: Sequence[OutboxEntry]) -> None:
        """Send the records to their topics once this transaction is committed."""
        ...

    async def outbox(self, limit: int) -> Sequence[OutboxEntry]:
        """Return the oldest entries, locked; those of others are left out."""
        ...

    async def drop_outbox(self, outbox_ids: Sequence[int]) -> None:
        """Forget the entries: their topics have them."""
        ...

    async def add_served(self, slates: Sequence[ServedSlate], now_ms: int) -> None:
        """Keep the decisions; one that is known already is skipped."""
        ...

    async def position_counts(self, before_ms: int, slates_max: int) -> Sequence[PositionCount]:
        """Return what became of the latest slates that were seen before then, by position."""
        ...

    async def latest_served(self, limit: int) -> Sequence[ServedSlate]:
        """Return the latest decisions, newest first."""
        ...

    async def population(self, users_max: int) -> NDArray[np.float32]:
        """Return the embeddings of about so many users, drawn at random where there are more."""
        ...

    async def reward_totals(self) -> tuple[float, float]:
        """Return the trials and the rewards of all arms."""
        ...

    async def fitting(self, name: str) -> bytes | None:
        """Return what was fitted under the name, if anything was."""
        ...

    async def put_fitting(self, name: str, value: bytes, now_ms: int) -> None:
        """Keep what was fitted under the name."""
        ...

    async def drop_fitting(self, name: str) -> None:
        """Forget what was fitted under the name."""
        ...

    async def forget_outcomes(self, before_ms: int, limit: int) -> int:
        """Drop up to ``limit`` rows of each kind that arrived earlier; return how many went."""
        ...
