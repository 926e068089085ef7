"""Every stage has a cheaper answer, and the bundle says which rung of the ladder it stands on."""

import asyncio
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import BundleRequest
from attune.contract.item import Item
from attune.embedding import EmbeddingRule
from attune.exploration import ExplorationTarget
from origin.orchestrator import AT_ONCE_MAX, Limits, Models, Orchestrator
from origin.plain_ranker import PlainRanker
from origin.policy import PolicyKeeper
from origin.ranker_features import RankerInput
from origin.storage.memory import MemoryStore
from origin.storage.port import UserRow, UserState

NOW_MS = 1_700_000_000_000
LIMITS = Limits(stage_ms=400, bundle_ms=9_000, shared_age_ms=0)
ASKED = BundleRequest(Consent.FULL, "u", "home", Context(), 20)


class Stuck(MemoryStore):
    """A store in which users' rows take longer than anybody waits."""

    async def user_state(self, user_id: str) -> UserState:
        await asyncio.sleep(30)
        return UserState(UserRow(user_id))


class Slow(MemoryStore):
    """A store in which users' rows take a while."""

    async def user_state(self, user_id: str) -> UserState:
        await asyncio.sleep(0.6)
        return UserState(UserRow(user_id))


class LateRanker(PlainRanker):
    """A ranker that is late."""

    version = "late"

    def scores(self, given: RankerInput) -> NDArray[np.float32]:
        time.sleep(1.0)
        return np.ones(len(given.candidates), dtype=np.float32)


async def orchestrator(
    store: MemoryStore, ranker: PlainRanker | None = None, limits: Limits = LIMITS
) -> Orchestrator:
    await store.put_items([Item(f"i{n}", f"I {n}") for n in range(30)], NOW_MS)
    rule = EmbeddingRule()
    policy = PolicyKeeper(store, rule, ExplorationTarget())
    plain = PlainRanker()
    made = Orchestrator(store, policy, Models(ranker or plain, plain, None), rule, limits)
    await made.refresh_popular(NOW_MS)
    return made


async def test_with_everything_in_time_the_bundle_is_full() -> None:
    answer = await (await orchestrator(MemoryStore())).bundle(ASKED, NOW_MS)
    assert (answer.bundle.degraded, len(answer.bundle.candidates)) == ("full", 20)
    assert (answer.bundle.user_id, answer.bundle.fresh_ms) == ("u", LIMITS.fresh_ms)


async def test_without_the_users_row_the_bundle_is_the_cohorts_and_soon_asked_for_again() -> None:
    answer = await (await orchestrator(Stuck())).bundle(ASKED, NOW_MS)
    assert answer.stages["user"].degraded_by == "deadline"
    assert (answer.bundle.degraded, len(answer.bundle.candidates)) == ("cohort", 20)
    assert answer.bundle.user_id is None
    assert answer.bundle.fresh_ms < LIMITS.fresh_ms


async def test_those_who_did_not_consent_do_not_wait_for_users_rows() -> None:
    made = await orchestrator(Stuck())
    for consent in (Consent.COHORT, Consent.NONE):
        answer = await made.bundle(replace(ASKED, consent=consent, user_id=None), NOW_MS)
        assert answer.bundle.degraded == "full"
        assert "user" not in answer.stages


async def test_a_late_ranker_is_replaced_by_the_plain_rule() -> None:
    answer = await (await orchestrator(MemoryStore(), LateRanker())).bundle(ASKED, NOW_MS)
    assert answer.stages["ranking"].degraded_by == "deadline"
    assert answer.bundle.degraded == "cohort"
    assert set(answer.bundle.candidates.base_scores) != {1.0}


async def test_past_its_deadline_the_whole_bundle_is_the_popular_one() -> None:
    limits = replace(LIMITS, stage_ms=5_000, bundle_ms=50)
    answer = await (await orchestrator(Stuck(), limits=limits)).bundle(ASKED, NOW_MS)
    assert answer.stages["bundle"].degraded_by == "deadline"
    assert (answer.bundle.degraded, len(answer.bundle.candidates)) == ("popular", 20)


async def test_of_too_many_at_once_the_last_get_the_popular_bundle() -> None:
    made = await orchestrator(Slow(), limits=replace(LIMITS, stage_ms=5_000))
    answers = await asyncio.gather(*(made.bundle(ASKED, NOW_MS) for _ in range(AT_ONCE_MAX + 5)))
    rungs = [answer.bundle.degraded for answer in answers]
    assert (rungs.count("full"), rungs.count("popular")) == (AT_ONCE_MAX, 5)
    assert (await made.bundle(ASKED, NOW_MS)).bundle.degraded == "full"


async def test_an_empty_catalogue_gives_an_empty_bundle() -> None:
    store = MemoryStore()
    policy = PolicyKeeper(store, EmbeddingRule(), ExplorationTarget())
    plain = PlainRanker()
    made = Orchestrator(store, policy, Models(plain, plain, None), EmbeddingRule(), LIMITS)
    answer = await made.bundle(ASKED, NOW_MS)
    assert (answer.bundle.degraded, len(answer.bundle.candidates)) == ("full", 0)
