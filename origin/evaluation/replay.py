"""A replay: history passes through the product's own serving and learning, one event at a time.

Retrieval, ranking and the user's state are the origin's orchestrator; what an event teaches is done
by the stream's processors; only the store is the one in memory. Nothing that happens at a moment is
known before it: a question is answered first, then its event is learned.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import EMBEDDING_DIMENSION, BundleRequest
from attune.contract.event import Interaction
from attune.contract.item import Item
from attune.embedding import EmbeddingRule
from attune.exploration import ExplorationTarget
from origin.catalogue import write_items
from origin.content_embedding import content_embedding
from origin.orchestrator import Limits, Models, Orchestrator, Ranker, ScoredCandidates
from origin.plain_ranker import PlainRanker
from origin.policy import PolicyKeeper
from origin.ranker_features import RankerInput
from origin.storage.memory import MemoryStore
from origin.storage.port import LearningStore
from origin.training.content_blend import blended_embeddings
from origin.training.item_embeddings import Histories, Matrix, collaborative_embeddings, named

Learn = Callable[[LearningStore, Interaction], Awaitable[None]]
"""What the stream's processors do with one interaction."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

MS_PER_DAY = 86_400_000

CANDIDATES_MAX = 300
"""Candidates that are ranked for a question; serving asks for 100 to 500."""

UNHURRIED = Limits(stage_ms=600_000, bundle_ms=600_000, shared_age_ms=-1.0)
"""In a replay, a slow machine must not change an answer, nor a second of ours outdate a list."""


@dataclass(slots=True)
class Switch:
    """A ranker that can be exchanged while the installation runs, and tells what it was asked."""

    inner: Ranker
    given: RankerInput | None = None

    @property
    def version(self) -> str:
        """Name of the model in use."""
        return self.inner.version

    def scores(self, given: RankerInput) -> NDArray[np.float32]:
        """Return the scores of the ranker in use."""
        self.given = given
        return self.inner.scores(given)


@dataclass(slots=True)
class ItemHistory:
    """Who met what so far, as training of item embeddings reads it."""

    users: list[int] = field(default_factory=list[int])
    items: list[int] = field(default_factory=list[int])
    user_places: dict[str, int] = field(default_factory=dict[str, int])
    item_places: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, user_id: str, item_id: str) -> None:
        """Append one interaction."""
        self.users.append(self.user_places.setdefault(user_id, len(self.user_places)))
        self.items.append(self.item_places.setdefault(item_id, len(self.item_places)))

    def columns(self) -> Histories:
        """Return what was appended, as columns."""
        return Histories(np.array(self.users), np.array(self.items), len(self.item_places))


class Replay:
    """One installation in memory, with its clock turned by the events."""

    def __init__(
        self,
        ranker: Ranker,
        learn: Learn,
        rule: EmbeddingRule,
        catalogue: Mapping[str, Item] | None = None,
    ) -> None:
        """Open an empty installation.

        Args:
            ranker: what candidates are scored with.
            learn: what the stream's processors do with an interaction.
            rule: how interactions move users.
            catalogue: what is known of items when they appear; of others, only their ids are.
        """
        self.store = MemoryStore()
        self._catalogue = catalogue or {}
        models = Models(ranker, PlainRanker(), None)
        policy = PolicyKeeper(self.store, rule, ExplorationTarget())
        self.orchestrator = Orchestrator(self.store, policy, models, rule, UNHURRIED)
        self._learn = learn
        self._history = ItemHistory()
        self._day = -1
        self._embeddings: Matrix | None = None

    @property
    def embeddings(self) -> Matrix:
        """The items' embeddings from company, rows in the order of appearance."""
        return np.zeros((0, EMBEDDING_DIMENSION)) if self._embeddings is None else self._embeddings

    async def begin(self, now_ms: int) -> bool:
        """Turn the clock to ``now_ms``; on a new day, train item embeddings on all the past.

        Returns whether a new day began.
        """
        day = now_ms // MS_PER_DAY
        if day == self._day:
            return False
        self._day = day
        if self._history.items:
            before = self._embeddings
            self._embeddings = collaborative_embeddings(self._history.columns(), before)
            embeddings = named(self._completed(self._embeddings), self._history.item_places)
            await self.store.put_embeddings(str(day), embeddings)
        return True

    async def open(self, item_ids: Iterable[str], now_ms: int) -> None:
        """Put items of the catalogue on the shelves before anybody meets them."""
        for item_id in item_ids:
            await self._shelve(item_id, now_ms)

    async def scored(self, user_id: str, now_ms: int) -> ScoredCandidates:
        """Return the scored candidates for the user, in no order."""
        request = BundleRequest(Consent.FULL, user_id, "home", Context(), CANDIDATES_MAX)
        return await self.orchestrator.scored(request, now_ms)

    async def learn(self, event: Interaction) -> None:
        """Learn the event; an item that was never seen joins the catalogue with it."""
        assert event.user_id is not None, "a replay is of users"
        if event.item_id not in self._history.item_places:
            await self._shelve(event.item_id, event.occurred_at_ms)
        self._history.add(event.user_id, event.item_id)
        await self._learn(self.store, event)

    async def _shelve(self, item_id: str, now_ms: int) -> None:
        item = self._catalogue.get(item_id)
        if item is None:
            await self.store.put_items([Item(item_id=item_id, title=item_id)], now_ms)
        else:
            await write_items(self.store, self.store, [item], now_ms)

    def _completed(self, learned: Matrix) -> Matrix:
        """Return the embeddings with content where the catalogue knows any, as serving has them."""
        if not self._catalogue:
            return learned
        content = np.zeros_like(learned)
        for item_id, place in self._history.item_places.items():
            if (item := self._catalogue.get(item_id)) is not None:
                content[place] = content_embedding(item)
        support = np.bincount(self._history.items, minlength=len(learned)).astype(np.float64)
        return blended_embeddings(learned, support, content)


class _AtOnce(ThreadPoolExecutor):
    """Does what it is given in the caller's thread: a replay has nobody else to wait for."""

    def submit(
        self,
        fn: Callable[Arguments, Result],
        /,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> "Future[Result]":
        """Return a future that is done."""
        future: Future[Result] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def run_replay(walk: Coroutine[Any, Any, Result]) -> Result:
    """Run the walk to its end on a loop of its own; handing work to threads costs nothing there.

    The cyclic garbage collector rests: it would look through millions of living objects, and what
    a replay drops is hardly ever part of a cycle.
    """
    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner() as runner:
            runner.get_loop().set_default_executor(_AtOnce(max_workers=1))
            return runner.run(walk)
    finally:
        gc.enable()
