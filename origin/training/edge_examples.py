"""Lists for the edge scorer: an old bundle, what the session did since, and what was taken next.

The edge decides from a bundle that was made some clicks ago. Its scorer must guess what the deep
ranker would say by now, from the bundle's base scores and the session's interactions. So history is
replayed with bundles that are kept for a few of a user's interactions, and each list's goal is half
what the ranker says at that moment (distillation: Hinton, Vinyals & Dean, 2015) and half what was
taken in truth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attune.consent import Consent
from attune.context import DEVICES, Context
from attune.contract.bundle import Bundle, BundleRequest
from attune.contract.event import Interaction
from attune.contract.policy import PolicySnapshot
from attune.contract.recommendation import RECENT_MAX, RecentInteraction, RecommendationRequest
from attune.features import EDGE_FEATURES
from attune.recommend import Prepared, prepared, scorer_rows
from origin.evaluation.replay import Replay
from origin.training.listwise import Examples

BUNDLE_CANDIDATES = 150
"""Candidates of a bundle, as the edge asks for them."""

BUNDLE_INTERACTIONS = 4
"""Interactions for which a bundle is kept before the user gets a fresh one."""

TRUTH_SHARE = 0.5
"""Part of the goal that is what was taken; the ranker's opinion, which is smoother, is the rest."""


@dataclass(slots=True)
class Held:
    """A user's bundle, and what the session did since."""

    bundle: Bundle
    session: list[RecentInteraction]


class EdgeVisit:
    """What each user's edge holds during a replay."""

    def __init__(self, replay: Replay, seed: int) -> None:
        self._replay = replay
        self._held: dict[str, Held] = {}
        self._generator = np.random.default_rng(seed)

    async def ask(self, user_id: str, now_ms: int) -> Prepared:
        """Return what the edge would score for the user now."""
        held = self._held.get(user_id)
        if held is None or len(held.session) >= BUNDLE_INTERACTIONS:
            held = self._held[user_id] = Held(await self._fetched(user_id, now_ms), [])
        request = RecommendationRequest(
            consent=Consent.FULL,
            user_id=user_id,
            session_id=user_id,
            surface="home",
            n=1,
            context=self._context(now_ms),
            recent=tuple(held.session[-RECENT_MAX:]),
        )
        return prepared(request, held.bundle, PolicySnapshot(0, 0), now_ms)

    def acted(self, event: Interaction) -> None:
        """Remember what the session did."""
        if event.user_id in self._held:
            past = RecentInteraction(event.item_id, event.action, event.occurred_at_ms)
            self._held[event.user_id].session.append(past)

    async def _fetched(self, user_id: str, now_ms: int) -> Bundle:
        request = BundleRequest(Consent.FULL, user_id, "home", Context(), BUNDLE_CANDIDATES)
        return (await self._replay.orchestrator.bundle(request, now_ms)).bundle

    def _context(self, now_ms: int) -> Context:
        """Return a context with a drawn device: one that never changes would teach nothing."""
        device = DEVICES[int(self._generator.integers(len(DEVICES)))]
        return Context(device=device, local_hour=now_ms // 3_600_000 % 24)


async def edge_examples(
    replay: Replay,
    events: Sequence[Interaction],
    lists_max: int,
    seed: int,
    after_event: Callable[[], object],
) -> Examples:
    """Replay the events; return the lists before the last ``lists_max`` of them."""
    visit = EdgeVisit(replay, seed)
    shape = (lists_max, BUNDLE_CANDIDATES)
    rows = np.zeros((*shape, len(EDGE_FEATURES)), dtype=np.float32)
    present, goals = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.float32)
    count, first = 0, max(len(events) - lists_max, 0)
    for index, event in enumerate(events):
        await replay.begin(event.occurred_at_ms)
        if index >= first and event.user_id is not None:
            ready = await visit.ask(event.user_id, event.occurred_at_ms)
            goal = await _goal(replay, ready, event)
            if goal is not None:
                size = len(ready.eligible)
                rows[count, :size] = np.frombuffer(scorer_rows(ready), np.float32).reshape(size, -1)
                present[count, :size] = True
                goals[count, :size] = goal
                count += 1
        await replay.learn(event)
        visit.acted(event)
        after_event()
    return Examples(rows[:count], present[:count], goals[:count])


async def _goal(replay: Replay, ready: Prepared, event: Interaction) -> NDArray[np.float32] | None:
    """Return the probabilities of the eligible candidates being taken; None without the taken."""
    ids = [ready.bundle.candidates.item_ids[index] for index in ready.eligible]
    if event.item_id not in ids or event.user_id is None:
        return None
    found = await replay.scored(event.user_id, event.occurred_at_ms)
    opinion = {row.item.item_id: score for row, score in zip(found.rows, found.scores, strict=True)}
    odds = np.array([_odds(opinion.get(item_id, 0.0)) for item_id in ids], dtype=np.float32)
    goal = (1.0 - TRUTH_SHARE) * odds / odds.sum()
    goal[ids.index(event.item_id)] += TRUTH_SHARE
    return goal


def _odds(probability: float) -> float:
    """Return the odds, whose ratios within a list are the ranker's softmax."""
    bounded = min(max(float(probability), 1e-6), 1.0 - 1e-6)
    return bounded / (1.0 - bounded)
