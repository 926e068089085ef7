"""The policy snapshot in force, and the exploration controller that it steers."""

from dataclasses import dataclass, field

from attune.contract.policy import PolicySnapshot
from attune.exploration import ExplorationState, initial_state, observed

CHECK_MS = 3_000
"""Time between two questions for a newer snapshot: what the crowd taught reaches a slate within
this and the stream's own delay, and the origin answers one conditional GET per isolate for it."""


def _controller() -> ExplorationState:
    unknown = PolicySnapshot(version=0, created_at_ms=0)
    return initial_state(unknown.epsilon, unknown.exploration)


@dataclass(slots=True)
class PolicyCache:
    """The newest snapshot; version 0, with the bundles' own posteriors, before the first one."""

    policy: PolicySnapshot = field(
        default_factory=lambda: PolicySnapshot(version=0, created_at_ms=0)
    )
    exploration: ExplorationState = field(default_factory=_controller)
    etag: str = ""
    checked_at_ms: int = 0

    def is_due(self, now_ms: int) -> bool:
        """Return whether to ask for a newer snapshot behind this answer."""
        return now_ms - self.checked_at_ms >= CHECK_MS

    def checked(self, now_ms: int) -> None:
        """Note that the origin is asked now."""
        self.checked_at_ms = now_ms

    def accept(self, policy: PolicySnapshot, etag: str) -> None:
        """Put a snapshot in force; the controller goes on from where it is."""
        if self.policy.version == 0:
            self.exploration = initial_state(policy.epsilon, policy.exploration)
        self.policy = policy
        self.etag = etag

    def slate_served(self, exploration_rate: float) -> None:
        """Let the controller see what a slate explored."""
        self.exploration = observed(self.exploration, exploration_rate, self.policy.exploration)
