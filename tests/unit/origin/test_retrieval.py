"""Candidates are merged by shares, attributed once, and never short while items are left."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.contract.item import Item
from attune.covisitation import Neighbour
from attune.popularity import levels
from origin.retrieval import SHARES, Retrieval, RetrievalQuery, merged_candidates
from origin.storage.memory import MemoryStore
from origin.storage.port import Embedding, PopularityDelta, Scored, StoreUnavailableError

NOW_MS = 1_700_000_000_000

ITEM_IDS = st.lists(st.integers(0, 60).map(str), max_size=40, unique=True)
NAMED = st.fixed_dictionaries({}, optional=dict.fromkeys(SHARES, ITEM_IDS.map(tuple)))


@given(named=NAMED, hidden=st.sets(st.integers(0, 60).map(str)), count_max=st.integers(1, 50))
def test_merging_is_full_unique_and_prefers_what_is_not_hidden(
    named: dict[str, tuple[str, ...]], hidden: set[str], count_max: int
) -> None:
    merged = merged_candidates(named, hidden, count_max)
    offered = {item_id for item_ids in named.values() for item_id in item_ids}
    assert len(merged) == min(count_max, len(offered))
    assert all(item_id in named[source] for item_id, source in merged.items())
    if set(merged) & hidden:
        assert offered - hidden <= set(merged)


def test_every_source_gets_its_share() -> None:
    named = {source: tuple(f"{source}-{n}" for n in range(100)) for source in SHARES}
    sources = list(merged_candidates(named, set(), 100).values())
    assert {source: sources.count(source) for source in SHARES} == {
        source: int(100 * share) for source, share in SHARES.items()
    }


def test_shares_are_a_whole() -> None:
    assert sum(SHARES.values()) == pytest.approx(1.0)


class SlowNeighbours(MemoryStore):
    """A store whose index is stuck and whose pairs are away."""

    async def nearest(self, embedding: Embedding, limit: int) -> Sequence[Scored]:
        await asyncio.sleep(30)
        return ()

    async def together(self, item_ids: Sequence[str], limit: int) -> Sequence[Neighbour]:
        raise StoreUnavailableError("gone")


async def test_a_stuck_source_holds_nobody_up_and_is_named() -> None:
    store = SlowNeighbours()
    await store.put_items([Item("a", "A")], 1)
    query = RetrievalQuery(np.ones(64, dtype=np.float32), None, ("a",), {}, 0)
    retrieved = await Retrieval(store, deadline_ms=20).retrieve(query)
    assert retrieved.named["new"] == ("a",)
    assert retrieved.outcomes["for_you"].degraded_by == "deadline"
    assert retrieved.outcomes["together"].degraded_by == "outage"
    assert retrieved.neighbours == ()


async def test_a_visit_that_began_in_a_category_gets_every_other_trending_item_from_it() -> None:
    store = MemoryStore()
    items = [Item(f"{category}{n}", "-", category=category) for category in "ab" for n in range(3)]
    await store.put_items(items, 1)
    async with store.transaction() as transaction:
        await transaction.add_popularity(
            [
                PopularityDelta(item.item_id, levels("click", NOW_MS - place))
                for place, item in enumerate(items)
            ]
        )
    retrieval = Retrieval(store, deadline_ms=1_000)
    nobody = RetrievalQuery(None, None, (), {}, NOW_MS)
    everywhere = await retrieval.retrieve(nobody)
    assert everywhere.named["trending"][:4] == ("a0", "a1", "a2", "b0")
    here = await retrieval.retrieve(replace(nobody, entry_category="b"))
    assert here.named["trending"][:4] == ("b0", "a0", "b1", "a1")
    nowhere = await retrieval.retrieve(replace(nobody, entry_category="unknown"))
    assert nowhere.named["trending"] == everywhere.named["trending"]
