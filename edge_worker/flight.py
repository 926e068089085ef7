"""A recommendation request between its phases: what it is, what it stands on, what it waits for."""

from dataclasses import dataclass, field

from attune.contract.bundle import BundleRequest
from attune.contract.recommendation import RecommendationRequest
from attune.recommend import Prepared
from edge_worker.ladder import Standing


@dataclass(frozen=True, slots=True)
class Fetch:
    """A bundle to ask the origin for."""

    key: str
    question: BundleRequest


@dataclass(slots=True)
class Flight:
    """One request between its phases."""

    request: RecommendationRequest
    key: str
    seed: int
    slate_id: str
    now_ms: int
    tier: str = "none"
    standing: Standing | None = None
    ready: Prepared | None = None
    behind: list[Fetch] = field(default_factory=list[Fetch])


@dataclass(frozen=True, slots=True)
class Awaited:
    """The bundle that a request waits for, at most ``deadline_ms``; 0 asks the Cache API alone.

    ``spares`` are bundles of the lower rungs that the memory lacks: when the Cache API has one,
    ``BUNDLE_DEADLINE_MS`` is long enough.
    """

    fetch: Fetch
    deadline_ms: int
    spares: tuple[Fetch, ...] = ()
