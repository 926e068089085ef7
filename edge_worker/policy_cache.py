"""The policy in force: the newest snapshot with this PoP's rewards since, and what it explores."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from attune.contract.policy import PolicySnapshot
from attune.exploration import ExplorationState, initial_state, observed
from edge_worker.local_rewards import Delta, LocalRewards

CHECK_MS = 3_000
"""Time between two questions for a newer snapshot: what the crowd taught reaches a slate within
this and the stream's own delay, and the origin answers one conditional GET per isolate for it."""

BETA_MIN = 1e-3
"""A reward may be known before the showing that it belongs to."""


def _nothing_known() -> PolicySnapshot:
    return PolicySnapshot(version=0, created_at_ms=0)


def _controller() -> ExplorationState:
    unknown = _nothing_known()
    return initial_state(unknown.epsilon, unknown.exploration)


@dataclass(slots=True)
class PolicyCache:
    """What slates are decided with.

    ``policy`` is the snapshot with this PoP's rewards added; before the first snapshot it is
    version 0, and the bundles' own posteriors stand.
    """

    policy: PolicySnapshot = field(default_factory=_nothing_known)
    exploration: ExplorationState = field(default_factory=_controller)
    etag: str = ""
    rewards: LocalRewards = field(default_factory=LocalRewards)
    _snapshot: PolicySnapshot = field(default_factory=_nothing_known)
    _owned: dict[str, dict[str, tuple[float, float]]] = field(
        default_factory=dict[str, dict[str, tuple[float, float]]]
    )
    """The snapshot's buckets that rewards were added to: copies, made once per snapshot."""

    def accept(self, snapshot: PolicySnapshot, etag: str, now_ms: int) -> None:
        """Put a snapshot in force; the controller goes on from where it is."""
        if self._snapshot.version == 0:
            self.exploration = initial_state(snapshot.epsilon, snapshot.exploration)
        self._snapshot = snapshot
        self.etag = etag
        self.rewards.settle(snapshot.covers, now_ms)
        self._merge_anew()

    def learn(
        self, effects: Sequence[Sequence[object]], positions: Mapping[int, int], now_ms: int
    ) -> None:
        """Add what an acknowledged batch of events earned (see ``edge_worker.local_rewards``)."""
        added = self.rewards.acknowledged(effects, positions, now_ms)
        if self.rewards.settle(self._snapshot.covers, now_ms):
            self._merge_anew()
        elif added and self._snapshot.version > 0:
            self._add(added)

    def slate_served(self, exploration_rate: float) -> None:
        """Let the controller see what a slate explored."""
        self.exploration = observed(self.exploration, exploration_rate, self.policy.exploration)

    def _merge_anew(self) -> None:
        self._owned = {}
        self.policy = self._snapshot
        if self._snapshot.version > 0:
            self._add(self.rewards.deltas())

    def _add(self, deltas: Iterable[Delta]) -> None:
        """Add rewards; an item that the snapshot does not know starts from the overall prior."""
        changed: set[str] = set()
        for bucket, item_id, impressions, reward in deltas:
            changed.add(bucket)
            beliefs = self._owned.get(bucket)
            if beliefs is None:
                beliefs = dict(self._snapshot.posteriors.get(bucket, {}))
                self._owned[bucket] = beliefs
            alpha, beta = beliefs.get(item_id, self._snapshot.prior)
            beliefs[item_id] = alpha + reward, max(beta + impressions - reward, BETA_MIN)
        if changed:
            # What is derived from a bucket is kept beside it: a changed one is a new value.
            renewed = {bucket: MappingProxyType(self._owned[bucket]) for bucket in changed}
            posteriors = MappingProxyType({**self.policy.posteriors, **renewed})
            self.policy = replace(self._snapshot, posteriors=posteriors)
