"""A visitor is what the store knows plus what the device remembers."""

import numpy as np
import pytest

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import BundleRequest
from attune.contract.item import Item
from attune.contract.recommendation import RecentInteraction
from attune.embedding import EmbeddingRule, updated_embedding
from origin.stage import Stages
from origin.storage.memory import MemoryStore
from origin.storage.port import UserItem, UserRow
from origin.visitor import Visitor, visitor_of

NOW_MS = 1_700_000_000_000
RULE = EmbeddingRule()
OLD = RecentInteraction("a", "click", NOW_MS - 5_000)
NEW = RecentInteraction("b", "purchase", NOW_MS - 1_000)


def unit(axis: int) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    vector = np.zeros(64, dtype=np.float32)
    vector[axis] = 1.0
    return vector


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await store.put_items([Item("a", "A"), Item("b", "B"), Item("bare", "Bare")], NOW_MS)
    await store.put_embeddings("v", {"a": unit(1), "b": unit(2)})
    async with store.transaction() as transaction:
        await transaction.put_users([UserRow("u", unit(0), OLD.occurred_at_ms, 4, (OLD,))])
        await transaction.add_user_items([UserItem("u", "a", "click", OLD.occurred_at_ms)])
    return store


async def visitor(store: MemoryStore, consent: Consent, *recent: RecentInteraction) -> Visitor:
    request = BundleRequest(consent, "u", "home", Context(), 50, recent)
    stages: Stages = {}
    found = await visitor_of(request, store, RULE, NOW_MS, 1_000, stages)
    assert all(not outcome.degraded_by for outcome in stages.values())
    return found


async def test_with_full_consent_the_session_continues_the_history(store: MemoryStore) -> None:
    found = await visitor(store, Consent.FULL, OLD, NEW)
    assert found.recent == (OLD, NEW)
    assert found.hidden == {"a", "b"}
    # The stored embedding has seen the first interaction already.
    expected = updated_embedding(unit(0).tolist(), unit(2).tolist(), "purchase", 1 / 3600, 4, RULE)
    assert found.embedding == pytest.approx(expected, abs=1e-6)
    assert found.interactions == 5
    assert found.query(NOW_MS).recent_ids == ("b", "a")


async def test_with_cohort_consent_only_the_session_counts(store: MemoryStore) -> None:
    found = await visitor(store, Consent.COHORT, NEW)
    assert found.state is None
    assert (found.recent, found.hidden, found.interactions) == ((NEW,), {"b"}, 1)
    assert found.embedding == pytest.approx(unit(2))


async def test_without_consent_nothing_counts(store: MemoryStore) -> None:
    found = await visitor(store, Consent.NONE, NEW)
    assert (found.state, found.recent, found.hidden) == (None, (), frozenset())
    assert not found.embedding.any()


async def test_items_without_embedding_move_nothing(store: MemoryStore) -> None:
    unknown = RecentInteraction("ghost", "click", NOW_MS)
    bare = RecentInteraction("bare", "click", NOW_MS)
    found = await visitor(store, Consent.COHORT, unknown, bare)
    assert not found.embedding.any()
    assert found.interactions == 0
    assert found.query(NOW_MS).latest_embedding is None
