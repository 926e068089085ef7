"""The life of a recommendation request at the edge, in synchronous phases.

``begin`` reads the request and looks for its bundle, ``resume`` goes on once the bundle came (or
did not), ``finish`` turns the scorer's answer into a slate. Between them JavaScript waits; nothing
here does, and nothing here reads a clock or rolls dice: both come in with the request.
"""

from dataclasses import replace

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import CANDIDATES_MAX, Bundle, BundleRequest
from attune.contract.decode import ContractError
from attune.contract.recommendation import RecommendationRequest
from attune.features import CANDIDATE_FEATURES
from attune.freshness import bundle_key
from attune.recommend import prepared
from edge_worker.answer import decided_slate, empty_slate, slate_json
from edge_worker.answer import last_known_good as last_known_good_answer
from edge_worker.arrival import Arrival, arrived_request
from edge_worker.bundle_cache import REFRESH_PAUSE_MS, BundleCache, Found
from edge_worker.counters import Counters
from edge_worker.flight import Awaited, Fetch, Flight
from edge_worker.ladder import fallback, own_standing, popular_key, shared_keys
from edge_worker.model import Model
from edge_worker.origin_health import OriginHealth
from edge_worker.policy_cache import PolicyCache

CANDIDATES_WANTED = min(120, CANDIDATES_MAX)
"""What a bundle is asked to hold: enough for several pages, and 25 KB on the wire."""

SCORER_DEADLINE_MS = 40
"""Past it the linear fallback answers: a score of 100 candidates takes 0.1 ms, so a scorer that
needs longer is loading or gone."""

BUNDLE_DEADLINE_MS = 400
"""How long a request without a bundle waits for the origin when a fallback is at hand."""

FIRST_BUNDLE_DEADLINE_MS = 4_000
"""The same when there is nothing else to show: late beats empty."""

SEED_BYTES = 6
"""48 bits: a seed stays a whole number in JavaScript."""


class Edge:
    """One isolate's state and the phases that work on it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.bundles = BundleCache()
        self.policies = PolicyCache()
        self.origin = OriginHealth()
        self.counters = Counters()

    def begin(self, arrival: Arrival) -> tuple[Flight, Awaited | None]:
        """Read the request; return its flight, and what it must wait for, if anything.

        Raises:
            ContractError: when the request breaks the contract.
        """
        request = arrived_request(arrival)
        key = self._key(request)
        seed = int.from_bytes(arrival.entropy[:SEED_BYTES], "big")
        flight = Flight(request, key, seed, arrival.entropy[SEED_BYTES:].hex(), arrival.now_ms)
        found = self.bundles.find(key, arrival.now_ms)
        self._keep_popular_warm(flight)
        if found is None or found.freshness == "expired":
            return flight, self._awaited(flight)
        flight.tier = "memory"
        flight.standing = own_standing(found)
        self._renew_behind(flight, found)
        self._prepare(flight)
        return flight, None

    def resume(self, flight: Flight, bundle: Bundle | None, tier: str) -> None:
        """Go on with the bundle that came, or with the next rung of the ladder when none did."""
        now_ms = flight.now_ms
        if bundle is not None:
            flight.tier = tier
            self.bundles.put(flight.key, bundle)
        found = self.bundles.find(flight.key, now_ms)
        if found is None:
            flight.standing = fallback(self.bundles, flight.request, self.model.version, now_ms)
        else:
            # Past its time, the request's own bundle is still closer than anybody else's.
            flight.standing = own_standing(found)
            if bundle is not None:
                self._renew_behind(flight, found)
        self._prepare(flight)

    def accept(self, bundle: Bundle, question: BundleRequest) -> None:
        """Refuse a bundle that is not an answer to the question.

        Raises:
            ContractError: it would show one user's slate to another, or cannot be scored.
        """
        if bundle.user_id not in (None, question.user_id):
            raise ContractError("user_id", "is not the one that was asked for")
        if (bundle.consent, bundle.surface) != (question.consent, question.surface):
            raise ContractError("consent", "or surface is not the one that was asked for")
        if bundle.candidates.feature_names != CANDIDATE_FEATURES:
            raise ContractError("feature_names", "are not those of this edge")

    def offer(self, key: str, bundle: Bundle) -> None:
        """Take a bundle that was fetched behind an answer."""
        self.bundles.put(key, bundle)
        self.counters.refreshes["accepted"] += 1

    def finish(self, flight: Flight, scores: bytes | None) -> bytes:
        """Return the answer's JSON; without scores the linear fallback ranks."""
        policy, epsilon = self.policies.policy, self.policies.exploration.epsilon
        slate, scorer = decided_slate(flight, scores, policy, epsilon)
        if slate is None:
            slate = empty_slate(flight, policy, epsilon, self.model.version)
        else:
            self.counters.scorers[scorer] += 1
            self.policies.slate_served(slate.exploration_rate)
        self.counters.tiers[flight.tier] += 1
        self.counters.rungs[slate.degraded] += 1
        return slate_json(slate)

    def last_known_good(self, bundle: Bundle, now_ms: int) -> bytes:
        """Return the answer to serve on the bundle's surface when nothing works any more."""
        return last_known_good_answer(bundle, self.policies.policy, now_ms)

    def _key(self, request: RecommendationRequest) -> str:
        return bundle_key(
            request.user_id,
            request.surface,
            request.consent,
            request.context,
            self.model.version,
        )

    def _awaited(self, flight: Flight) -> Awaited:
        fetch = Fetch(flight.key, _question(flight.request))
        now_ms = flight.now_ms
        has_spare = (
            self.bundles.find(flight.key, now_ms) is not None
            or fallback(self.bundles, flight.request, self.model.version, now_ms) is not None
        )
        spares = () if has_spare else self._spares(flight.request)
        if not self.origin.is_worth_waiting_for(now_ms):
            self._fetch_behind(flight, fetch)
            return Awaited(fetch, 0, spares)
        self.bundles.attempted(flight.key, now_ms)
        deadline_ms = BUNDLE_DEADLINE_MS if has_spare else FIRST_BUNDLE_DEADLINE_MS
        return Awaited(fetch, deadline_ms, spares)

    def _spares(self, request: RecommendationRequest) -> tuple[Fetch, ...]:
        return tuple(
            Fetch(key, shared_question(request, consent))
            for key, consent in shared_keys(request, self.model.version)
            if key != self._key(request)
        )

    def _keep_popular_warm(self, flight: Flight) -> None:
        """See to it that the ladder has a rung before it is needed."""
        key = popular_key(flight.request, self.model.version)
        if key == flight.key:
            return
        found = self.bundles.find(key, flight.now_ms)
        if found is None or found.freshness != "fresh":
            self._fetch_behind(flight, Fetch(key, shared_question(flight.request, Consent.NONE)))

    def _renew_behind(self, flight: Flight, found: Found) -> None:
        pause_ms = self.bundles.refresh_pause_ms(found, flight.request, flight.now_ms)
        if pause_ms is not None:
            self._fetch_behind(flight, Fetch(flight.key, _question(flight.request)), pause_ms)

    def _fetch_behind(self, flight: Flight, fetch: Fetch, pause_ms: int = REFRESH_PAUSE_MS) -> None:
        if self.bundles.may_attempt(fetch.key, flight.now_ms, pause_ms):
            self.bundles.attempted(fetch.key, flight.now_ms)
            flight.behind.append(fetch)

    def _prepare(self, flight: Flight) -> None:
        if flight.standing is not None:
            flight.ready = prepared(
                flight.request, flight.standing.bundle, self.policies.policy, flight.now_ms
            )


def shared_question(request: RecommendationRequest, consent: Consent) -> BundleRequest:
    """Return what to ask the origin for a bundle that holds nothing of any user."""
    return _question(replace(request, consent=consent, user_id=None))


def _question(request: RecommendationRequest) -> BundleRequest:
    """Return what to ask the origin.

    Only a user's own bundle may hold the session's items; the one for everyone knows no context.
    """
    return BundleRequest(
        consent=request.consent,
        user_id=request.user_id,
        surface=request.surface,
        context=request.context if request.consent.allows_events else Context(),
        candidates_max=CANDIDATES_WANTED,
        recent=request.recent if request.consent.allows_user_data else (),
    )
