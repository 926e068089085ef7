"""Candidate generation: a few hundred items out of the catalogue, from several sources at once."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

from attune.covisitation import Neighbour, companions
from origin.stage import Remembered, StageOutcome, staged
from origin.storage.port import Embedding, Scored, ServingStore

SHARES = {"for_you": 0.15, "session": 0.10, "together": 0.30, "trending": 0.40, "new": 0.05}
"""The part of the candidates that each source may name first; what one leaves goes to the rest,
the largest share first. A candidate is attributed to the first source here that named it.
Measured on MovieTweetings: of 300 candidates, these hold the next item of 45 %; with 35 % "for you"
and 15 % "trending" it was 43 %."""

SOURCE_LIMIT = 200
"""Items asked of one source: the index was measured with ``ef_search`` 200, more would be worse."""

NEIGHBOURS_PER_ITEM = 40

CATEGORIES_MAX = 100
"""Categories whose trending items are remembered; visitors name them, so there must be an end."""

SHARED_AGE_MS = 1_000
"""What is trending and what is new is the same for everyone; reading it once a second is enough."""

SHARED_STALE_MS = 60_000
"""How long the last lists may stand in while new ones are read: an old trend beats a late one."""

Source = Callable[[], Awaitable[Sequence[Scored]]]

Named = Mapping[str, tuple[str, ...]]
"""Item ids by source, best first."""


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """What candidates are looked for with; a part that is None or empty asks nothing.

    ``recent_ids`` are latest first, ``recent_levels`` their levels at the half-life ``LASTING``.
    """

    user_embedding: Embedding | None
    latest_embedding: Embedding | None
    recent_ids: tuple[str, ...]
    recent_levels: Mapping[str, float]
    now_ms: int
    entry_category: str = ""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What the sources named, the co-visitation pairs, and how each stage ended."""

    named: Named
    neighbours: tuple[Neighbour, ...]
    outcomes: Mapping[str, StageOutcome[Sequence[Scored]]]


class Retrieval:
    """The candidate sources over one store."""

    def __init__(
        self, store: ServingStore, deadline_ms: float, shared_age_ms: float = SHARED_AGE_MS
    ) -> None:
        self._store = store
        self._deadline_ms = deadline_ms
        self._shared = partial(
            Remembered[Sequence[Scored]],
            age_max_ms=shared_age_ms,
            stale_max_ms=SHARED_STALE_MS if shared_age_ms >= 0 else 0.0,
        )
        self._trending = self._shared(lambda: store.trending(SOURCE_LIMIT))
        self._trending_in: dict[str, Remembered[Sequence[Scored]]] = {}
        self._newest = self._shared(lambda: store.newest(SOURCE_LIMIT))

    async def retrieve(self, query: RetrievalQuery) -> Retrieved:
        """Return what every source names in time; none waits for another."""
        pairs = asyncio.create_task(self._pairs(query.recent_ids))
        sources: dict[str, Source] = {
            "for_you": partial(self._nearest, query.user_embedding),
            "session": partial(self._nearest, query.latest_embedding),
            "together": partial(_strongest, pairs, query),
            "trending": partial(self._trending_for, query.entry_category),
            "new": self._newest.get,
        }
        scored = await asyncio.gather(
            *(staged(work, self._deadline_ms, ()) for work in sources.values())
        )
        outcomes = dict(zip(sources, scored, strict=True))
        named = {
            name: tuple(entry.item_id for entry in outcome.result)
            for name, outcome in outcomes.items()
        }
        neighbours = pairs.result() if not outcomes["together"].degraded_by else ()
        return Retrieved(named, tuple(neighbours), outcomes)

    async def _nearest(self, embedding: Embedding | None) -> Sequence[Scored]:
        if embedding is None or not embedding.any():
            return ()
        return await self._store.nearest(embedding, SOURCE_LIMIT)

    async def _trending_for(self, category: str) -> Sequence[Scored]:
        """Return what is trending; every other one from the category in which the visit began."""
        everywhere = await self._trending.get()
        if not category:
            return everywhere
        if category not in self._trending_in:
            if len(self._trending_in) >= CATEGORIES_MAX:
                self._trending_in.pop(next(iter(self._trending_in)))
            self._trending_in[category] = self._shared(
                lambda: self._store.trending(SOURCE_LIMIT, category)
            )
        here = await self._trending_in[category].get()
        pairs = zip_longest(here, everywhere)
        return [entry for pair in pairs for entry in pair if entry is not None]

    async def _pairs(self, recent_ids: Sequence[str]) -> Sequence[Neighbour]:
        if not recent_ids:
            return ()
        return await self._store.together(recent_ids, NEIGHBOURS_PER_ITEM)


async def _strongest(
    pairs: Awaitable[Sequence[Neighbour]], query: RetrievalQuery
) -> Sequence[Scored]:
    scores = companions(query.recent_ids, await pairs, query.recent_levels, query.now_ms)
    best = sorted(scores, key=scores.__getitem__, reverse=True)[:SOURCE_LIMIT]
    return [Scored(item_id, scores[item_id]) for item_id in best]


def merged_candidates(named: Named, hidden: Collection[str], count_max: int) -> dict[str, str]:
    """Return the candidates with the source that each is attributed to.

    Every source first fills its share, then the rest is given out source by source. Hidden items
    come last, and only while there are no others: repeats beat an empty slate.

    >>> named = {"for_you": ("a", "b", "c"), "trending": ("b", "d"), "new": ("e",)}
    >>> merged_candidates(named, {"a"}, 4)
    {'b': 'for_you', 'd': 'trending', 'e': 'new', 'c': 'for_you'}
    """
    taken: dict[str, str] = {}
    sources = [(name, named.get(name, ())) for name in SHARES]
    for name, item_ids in sources:
        share = max(1, int(SHARES[name] * count_max))
        _take(taken, name, (i for i in item_ids if i not in hidden), len(taken) + share)
    sources.sort(key=lambda source: -SHARES[source[0]])
    for name, item_ids in sources:
        _take(taken, name, (i for i in item_ids if i not in hidden), count_max)
    for name, item_ids in sources:
        _take(taken, name, item_ids, count_max)
    return dict(list(taken.items())[:count_max])


def _take(taken: dict[str, str], source: str, item_ids: Iterable[str], count_max: int) -> None:
    for item_id in item_ids:
        if len(taken) >= count_max:
            return
        taken.setdefault(item_id, source)
