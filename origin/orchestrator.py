"""A request's straight line through the origin: visitor, retrieval, ranking, bundle, slate.

Every stage has a deadline and a cheaper result; what was cheaper is labelled in the answer.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from attune.consent import Consent
from attune.context import Context, bandit_bucket
from attune.contract.bundle import Bundle, BundleRequest
from attune.contract.recommendation import Degradation, RecommendationRequest, Slate
from attune.embedding import EmbeddingRule
from attune.recommend import decided, fallback_scores, prepared, scorer_rows
from origin.bundles import BundleHead, RankedCandidate, made_bundle
from origin.policy import Policy, PolicyKeeper
from origin.ranker_features import RankerInput
from origin.retrieval import SHARED_AGE_MS, Retrieval, merged_candidates
from origin.stage import StageOutcome, Stages, staged
from origin.storage.port import ItemRow, ServingStore, StoreUnavailableError
from origin.visitor import Visitor, visitor_of

SLATE_CANDIDATES = 150
"""Candidates behind a slate that is decided here; the edge asks for about as many."""

POPULAR_CANDIDATES = 200
POPULAR_AGE_MS = 5_000
"""How often the answer of last resort is made anew while all is well."""

AT_ONCE_MAX = 12
"""Bundles worked on at a time. Each takes some 10 ms of processor, so more of them make each other
miss the stages' deadlines: measured with 64 at once, nine in ten ended as the popular answer."""

TURN_WAIT_MS = 300
"""Who waits longer for a turn gets the popular answer now instead of a late one."""

DEGRADED_FRESH_MS = 1_000
"""A cheaper bundle is asked for again soon: the outage may be over."""


class Ranker(Protocol):
    """Scores candidates with everything that the origin knows."""

    @property
    def version(self) -> str:
        """Name of the model."""
        ...

    def scores(self, given: RankerInput) -> NDArray[np.float32]:
        """Return a probability for each candidate: (N,)."""
        ...


class Scorer(Protocol):
    """Scores candidates as the edge does, from a bundle and the session."""

    def scores(self, rows: array[float]) -> Sequence[float]:
        """Return a probability for each row of ``attune.features.EDGE_FEATURES``."""
        ...


@dataclass(frozen=True, slots=True)
class Models:
    """What candidates are scored with; without a trained scorer, a plain rule stands in."""

    ranker: Ranker
    stand_in: Ranker
    scorer: Scorer | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long stages may take, how long bundles live, how old a list for everyone may be."""

    stage_ms: int = 150
    bundle_ms: int = 800
    fresh_ms: int = 10_000
    stale_ms: int = 86_400_000
    shared_age_ms: float = SHARED_AGE_MS


@dataclass(frozen=True, slots=True)
class ScoredCandidates:
    """Candidates with their base scores (N,), and the source of each by item."""

    rows: Sequence[ItemRow]
    scores: NDArray[np.float32]
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BundleAnswer:
    """A bundle, the policy that it was made under, and how each stage ended."""

    bundle: Bundle
    policy: Policy
    stages: Mapping[str, StageOutcome[object]]


@dataclass(frozen=True, slots=True)
class SlateAnswer:
    """A slate, and how each stage ended."""

    slate: Slate
    stages: Mapping[str, StageOutcome[object]]


class Orchestrator:
    """Answers requests for bundles and slates over one store."""

    def __init__(
        self,
        store: ServingStore,
        policy: PolicyKeeper,
        models: Models,
        rule: EmbeddingRule,
        limits: Limits,
    ) -> None:
        self._store = store
        self._policy = policy
        self._models = models
        self._rule = rule
        self._limits = limits
        self._retrieval = Retrieval(store, limits.stage_ms, limits.shared_age_ms)
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._popular: tuple[RankedCandidate, ...] = ()
        self._popular_at_ms = 0
        self._refreshing: asyncio.Task[None] | None = None

    async def slate(
        self, request: RecommendationRequest, now_ms: int, slate_id: str, seed: int
    ) -> SlateAnswer:
        """Return a slate, decided by the code that decides at the edge."""
        answer = await self.bundle(_bundle_request(request), now_ms)
        bundle, snapshot = answer.bundle, answer.policy.snapshot
        ready = prepared(request, bundle, snapshot, now_ms)
        scorer = self._models.scorer
        scores = fallback_scores(ready) if scorer is None else scorer.scores(scorer_rows(ready))
        epsilon = self._policy.exploration.epsilon
        degraded = cast("Degradation", bundle.degraded)
        slate = decided(ready, scores, snapshot, epsilon, degraded, slate_id, seed)
        if slate.items:
            self._policy.saw_slate(slate.exploration_rate)
        return SlateAnswer(slate, answer.stages)

    async def bundle(self, request: BundleRequest, now_ms: int) -> BundleAnswer:
        """Return a candidate bundle; past the deadline or without a store, the popular one."""
        stages: Stages = {}
        work = partial(self._in_turn, request, now_ms, stages)
        outcome = await staged(work, self._limits.bundle_ms, None)
        stages["bundle"] = outcome
        if outcome.result is not None:
            self._keep_popular_fresh(now_ms)
            return outcome.result
        policy = self._policy.last_known()
        popular = self._popular[: request.candidates_max]
        head = self._head(request, policy, now_ms, "popular" if popular else "static")
        bundle = made_bundle(head, None, frozenset(), {}, popular)
        return BundleAnswer(bundle, policy, stages)

    async def scored(self, request: BundleRequest, now_ms: int) -> ScoredCandidates:
        """Return the scored candidates that a bundle would be made of, as evaluation wants them."""
        stages: Stages = {}
        visitor = await self._visitor(request, now_ms, stages)
        return await self._scored_candidates(request, visitor, now_ms, stages)

    async def refresh_popular(self, now_ms: int) -> None:
        """Make the answer of last resort anew; keep the old one when that brings nothing."""
        everyone = BundleRequest(Consent.NONE, None, "home", Context(), POPULAR_CANDIDATES)
        stages: Stages = {}
        policy = await self._policy.current(now_ms)
        visitor = await self._visitor(everyone, now_ms, stages)
        ranked = await self._ranked(everyone, visitor, policy, now_ms, stages)
        if ranked:
            self._popular = tuple(sorted(ranked, key=lambda each: -each.base_score))
            self._popular_at_ms = now_ms

    def _keep_popular_fresh(self, now_ms: int) -> None:
        if now_ms - self._popular_at_ms >= POPULAR_AGE_MS and self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh_quietly(now_ms))

    async def _refresh_quietly(self, now_ms: int) -> None:
        try:
            await staged(lambda: self.refresh_popular(now_ms), self._limits.bundle_ms, None)
        finally:
            self._refreshing = None

    async def _in_turn(
        self, request: BundleRequest, now_ms: int, stages: Stages
    ) -> BundleAnswer | None:
        """Return the answer, None when too many others are being worked on."""
        stages["turn"] = turn = await staged(self._turns.acquire, TURN_WAIT_MS, instead=False)
        if not turn.result:
            return None
        try:
            return await self._personal(request, now_ms, stages)
        finally:
            self._turns.release()

    async def _personal(self, request: BundleRequest, now_ms: int, stages: Stages) -> BundleAnswer:
        policy, visitor = await asyncio.gather(
            self._policy.current(now_ms), self._visitor(request, now_ms, stages)
        )
        ranked = await self._ranked(request, visitor, policy, now_ms, stages)
        if not ranked and any(outcome.degraded_by for outcome in stages.values()):
            raise StoreUnavailableError("no stage brought a candidate")
        # Without one of its stages an answer is no better than the cohort's.
        degraded = any(outcome.degraded_by for outcome in stages.values())
        head = self._head(request, policy, now_ms, "cohort" if degraded else "full")
        row = None if visitor.state is None else visitor.state.row
        bundle = made_bundle(head, row, visitor.hidden, visitor.recent_rows, ranked)
        return BundleAnswer(bundle, policy, stages)

    async def _visitor(self, request: BundleRequest, now_ms: int, stages: Stages) -> Visitor:
        deadline_ms = self._limits.stage_ms
        return await visitor_of(request, self._store, self._rule, now_ms, deadline_ms, stages)

    async def _ranked(
        self,
        request: BundleRequest,
        visitor: Visitor,
        policy: Policy,
        now_ms: int,
        stages: Stages,
    ) -> list[RankedCandidate]:
        found = await self._scored_candidates(request, visitor, now_ms, stages)
        bucket = bandit_bucket(request.context)
        return [
            RankedCandidate(
                row=row,
                source=found.sources[row.item.item_id],
                base_score=score,
                belief=policy.belief(bucket, row.item.item_id, row.item.category),
            )
            for row, score in zip(found.rows, found.scores.tolist(), strict=True)
        ]

    async def _scored_candidates(
        self, request: BundleRequest, visitor: Visitor, now_ms: int, stages: Stages
    ) -> ScoredCandidates:
        # Without consent the answer is everyone's: the edge keeps one bundle for all of them.
        entry_category = request.context.entry_category if request.consent.allows_events else ""
        retrieved = await self._retrieval.retrieve(visitor.query(now_ms, entry_category))
        stages.update(retrieved.outcomes)
        sources = merged_candidates(retrieved.named, visitor.hidden, request.candidates_max)
        rows = await self._looked_up(list(sources), stages)
        given = RankerInput(
            embedding=visitor.embedding,
            interactions=visitor.interactions,
            recent=visitor.recent,
            recent_rows=visitor.recent_rows,
            candidates=rows,
            neighbours=retrieved.neighbours,
            now_ms=now_ms,
        )
        return ScoredCandidates(rows, await self._scored(given, stages), sources)

    async def _looked_up(self, item_ids: Sequence[str], stages: Stages) -> list[ItemRow]:
        """Return the rows of those items that can be recommended, in their order."""
        if not item_ids:
            return []
        no_rows: Mapping[str, ItemRow] = {}
        work = partial(self._store.item_rows, item_ids)
        rows = await staged(work, self._limits.stage_ms, no_rows)
        stages["items"] = rows
        existing = (rows.result[item_id] for item_id in item_ids if item_id in rows.result)
        return [row for row in existing if row.item.available]

    async def _scored(self, given: RankerInput, stages: Stages) -> NDArray[np.float32]:
        if not given.candidates:
            return np.zeros(0, dtype=np.float32)
        # In a thread: onnxruntime lets go of the interpreter, so other requests go on meanwhile.
        scores = partial(self._models.ranker.scores, given)
        outcome = await staged(lambda: asyncio.to_thread(scores), self._limits.stage_ms, None)
        stages["ranking"] = outcome
        if outcome.result is not None:
            return outcome.result
        return self._models.stand_in.scores(given)

    def _head(
        self, request: BundleRequest, policy: Policy, now_ms: int, degraded: Degradation
    ) -> BundleHead:
        fresh_ms = self._limits.fresh_ms
        return BundleHead(
            consent=request.consent,
            surface=request.surface,
            degraded=degraded,
            created_at_ms=now_ms,
            fresh_ms=fresh_ms if degraded == "full" else min(fresh_ms, DEGRADED_FRESH_MS),
            stale_ms=self._limits.stale_ms,
            policy_version=policy.snapshot.version,
            model_version=self._models.ranker.version,
        )


def _bundle_request(request: RecommendationRequest) -> BundleRequest:
    return BundleRequest(
        consent=request.consent,
        user_id=request.user_id,
        surface=request.surface,
        context=request.context,
        candidates_max=SLATE_CANDIDATES,
        recent=request.recent,
    )
