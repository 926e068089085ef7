"""The policy in force: priors fitted to the counts, posteriors, and the steered exploration."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from attune.contract.event import Impression
from attune.contract.policy import PolicySnapshot
from attune.embedding import EmbeddingRule
from attune.exploration import ExplorationState, ExplorationTarget, initial_state, observed
from attune.posterior import (
    DEFAULT_PRIOR,
    Beta,
    Counts,
    category_priors,
    fitted_prior,
    posterior,
)
from origin.event_log import EVENTS
from origin.stage import Remembered
from origin.storage.port import (
    REWARDS_GROUP,
    PolicyState,
    RewardCount,
    ServingStore,
    StoreUnavailableError,
)

COUNTS_MAX = 20_000
"""(item, bucket) pairs in a snapshot: about 0.3 MB, and the tail beyond was hardly shown."""

IMPRESSIONS_MAX = 200
"""Latest impressions looked at when the exploration is steered: it remembers about 20 slates."""

ARMS_MIN = 20
IMPRESSIONS_MIN = 500
"""Below these a prior fitted by moments is worse than the default one."""

SNAPSHOT_AGE_MS = 1_000
EPSILON_START = 0.02


@dataclass(frozen=True, slots=True)
class Priors:
    """What is believed of an item before it was shown: by category, else overall."""

    overall: Beta = DEFAULT_PRIOR
    by_category: Mapping[str, Beta] = field(default_factory=lambda: MappingProxyType({}))

    def belief(self, category: str, counts: Counts | None) -> Beta:
        """Return the posterior of an item of the category."""
        prior = self.by_category.get(category, self.overall)
        return prior if counts is None else posterior(prior, counts)


@dataclass(frozen=True, slots=True)
class Policy:
    """A snapshot for the edge with the priors that the bundles' posteriors start from."""

    snapshot: PolicySnapshot
    priors: Priors

    def belief(self, bucket: str, item_id: str, category: str) -> Beta:
        """Return the posterior of an item; the rarely shown ones are not told from the prior."""
        known = self.snapshot.posteriors.get(bucket, {}).get(item_id)
        return self.priors.belief(category, None) if known is None else Beta(*known)


def fitted_priors(counts: Sequence[RewardCount]) -> Priors:
    """Return the priors that the counts speak for, the default ones while there are too few."""
    arms = [Counts(count.impressions, count.reward) for count in counts if count.impressions > 0]
    if len(arms) < ARMS_MIN or math.fsum(arm.impressions for arm in arms) < IMPRESSIONS_MIN:
        return Priors()
    overall = fitted_prior(arms)
    by_category: defaultdict[str, list[Counts]] = defaultdict(list)
    for count in counts:
        by_category[count.category].append(Counts(count.impressions, count.reward))
    return Priors(overall, MappingProxyType(category_priors(by_category, overall)))


def posteriors_of(
    counts: Iterable[RewardCount], priors: Priors
) -> Mapping[str, Mapping[str, tuple[float, float]]]:
    """Return {bucket: {item: (alpha, beta)}}, prior included."""
    buckets: defaultdict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for count in counts:
        belief = priors.belief(count.category, Counts(count.impressions, count.reward))
        buckets[count.bucket][count.item_id] = (belief.alpha, belief.beta)
    return MappingProxyType(dict(buckets))


def realised_exploration(impression: Impression) -> float:
    """Return the share of positions that the impression's policy gave to others than the best.

    An impression says with which probability its items were chosen, not which were the greedy
    ones. Where one item stands out with probability g, the expected propensity of the chosen one
    is about g squared (and the small squares of the others), so its root estimates g.
    """
    propensities = [shown.propensity for shown in impression.items]
    return 1.0 - math.sqrt(math.fsum(propensities) / len(propensities))


class PolicyKeeper:
    """Holds the policy: read again at most once a second, a new version only when it changed."""

    def __init__(
        self,
        store: ServingStore,
        rule: EmbeddingRule,
        target: ExplorationTarget,
        age_max_ms: float = SNAPSHOT_AGE_MS,
    ) -> None:
        self._store = store
        self._rule = rule
        self._target = target
        self._exploration = initial_state(EPSILON_START, target)
        self._steered_until_ms: int | None = None
        self._policy = Policy(self._snapshot({}, Priors(), PolicyState((), {}), 0), Priors())
        self._now_ms = 0
        self._current = Remembered(self._read, age_max_ms)

    @property
    def exploration(self) -> ExplorationState:
        """What the exploration controller has seen and decided."""
        return self._exploration

    async def current(self, now_ms: int) -> Policy:
        """Return the policy in force; without the store, the one last known."""
        self._now_ms = now_ms
        try:
            return await self._current.get()
        except StoreUnavailableError:
            return self._policy

    def last_known(self) -> Policy:
        """Return the policy without asking anybody."""
        return self._policy

    def saw_slate(self, exploration_rate: float) -> None:
        """Steer by a slate that was decided here."""
        self._exploration = observed(self._exploration, exploration_rate, self._target)

    async def _read(self) -> Policy:
        now_ms = self._now_ms
        state = await self._store.policy_state(COUNTS_MAX, REWARDS_GROUP, EVENTS)
        counts = state.counts
        self._steer(await self._store.recent_impressions(IMPRESSIONS_MAX))
        # In a thread: 20,000 pairs take 80 ms, during which answers must go on.
        priors = await asyncio.to_thread(fitted_priors, counts)
        posteriors = await asyncio.to_thread(posteriors_of, counts, priors)
        snapshot = self._snapshot(posteriors, priors, state, now_ms)
        if not _same_decisions(snapshot, self._policy.snapshot):
            self._policy = Policy(snapshot, priors)
        return self._policy

    def _steer(self, newest_first: Sequence[Impression]) -> None:
        """Steer by the impressions that were not seen yet; a start takes the past as given."""
        seen_until_ms = self._steered_until_ms
        if newest_first:
            self._steered_until_ms = newest_first[0].occurred_at_ms
        if seen_until_ms is None:
            self._steered_until_ms = self._steered_until_ms or 0
            return
        for impression in reversed(newest_first):
            if impression.occurred_at_ms > seen_until_ms:
                self.saw_slate(realised_exploration(impression))

    def _snapshot(
        self,
        posteriors: Mapping[str, Mapping[str, tuple[float, float]]],
        priors: Priors,
        state: PolicyState,
        now_ms: int,
    ) -> PolicySnapshot:
        return PolicySnapshot(
            version=now_ms,
            created_at_ms=now_ms,
            # Two digits steer well enough, and spare the edges a version for every impression.
            epsilon=float(f"{self._exploration.epsilon:.2g}"),
            exploration=self._target,
            embedding_rule=self._rule,
            prior=(priors.overall.alpha, priors.overall.beta),
            posteriors=posteriors,
            covers=MappingProxyType(dict(state.covers)),
        )


def _same_decisions(one: PolicySnapshot, other: PolicySnapshot) -> bool:
    """Return whether nothing but time and the log moved on.

    What events did not change needs no new version: an edge that still adds their rewards then adds
    what the counts do not have.
    """
    return other.version > 0 and one == replace(
        other, version=one.version, created_at_ms=one.created_at_ms, covers=one.covers
    )
