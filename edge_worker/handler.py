"""The life of a recommendation request at the edge, in synchronous phases.

``begin`` reads the request and looks for its bundle, ``resume`` goes on once the bundle came (or
did not), ``finish`` turns the scorer's answer into a slate. Between them JavaScript waits; nothing
here does, and nothing here reads a clock or rolls dice: both come in with the request.
"""

from attune.consent import Consent
from attune.contract.bundle import Bundle, BundleRequest
from attune.contract.decode import ContractError
from attune.contract.recommendation import RecommendationRequest
from attune.contract.slate_json import slate_json
from attune.features import CANDIDATE_FEATURES
from attune.freshness import bundle_key
from attune.recommend import prepared
from edge_worker.answer import decided_slate, empty_slate, last_known_good
from edge_worker.arrival import Arrival, arrived_request
from edge_worker.attempts import REFRESH_PAUSE_MS, Attempts
from edge_worker.bundle_cache import BundleCache, Found
from edge_worker.counters import Counters
from edge_worker.flight import Awaited, Fetch, Flight
from edge_worker.known_good import KnownGood
from edge_worker.ladder import Standing, fallback, own_standing, popular_key, shared_keys
from edge_worker.model import Model
from edge_worker.model_swap import ModelInForce
from edge_worker.origin_health import OriginHealth
from edge_worker.policy_cache import PolicyCache
from edge_worker.questions import own_question, shared_question
from edge_worker.served_slates import ServedSlates

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
        self.models = ModelInForce(model)
        self.bundles = BundleCache()
        self.attempts = Attempts()
        self.known_good = KnownGood()
        self.policies = PolicyCache()
        self.origin = OriginHealth()
        self.counters = Counters()
        self.slates = ServedSlates(self.counters.slates)

    @property
    def model(self) -> Model:
        """The edge scorer in force."""
        return self.models.model

    def begin(self, arrival: Arrival) -> tuple[Flight, Awaited | None]:
        """Read the request; return its flight, and what it must wait for, if anything.

        Raises:
            ContractError: when the request breaks the contract.
        """
        request = arrived_request(arrival)
        key = _key(request, self.model.version)
        seed = int.from_bytes(arrival.entropy[:SEED_BYTES], "big")
        flight = Flight(request, key, seed, arrival.entropy[SEED_BYTES:].hex(), arrival.now_ms)
        found = self.bundles.find(key, arrival.now_ms)
        if found is None:
            found = self._under_previous_model(flight)
        self._keep_popular_warm(flight)
        if found is None or found.freshness == "expired":
            return flight, self._awaited(flight)
        flight.tier = "memory"
        flight.standing = own_standing(found)
        self._renew_behind(flight, found)
        self._prepare(flight)
        return flight, None

    def resume(self, flight: Flight, came: Bundle | None, wire_bytes: int, tier: str) -> None:
        """Go on with the bundle that came, or with the next rung of the ladder when none did."""
        if came is not None:
            flight.tier = tier
            self.offer(flight.key, came, wire_bytes)
        found = self.bundles.find(flight.key, flight.now_ms)
        if found is None:
            flight.standing = self._fallback(flight)
        else:
            # Past its time, the request's own bundle is still closer than anybody else's.
            flight.standing = own_standing(found)
            if came is not None:
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
        if not bundle.candidates.item_ids:
            raise ContractError("item_ids", "name no candidate")

    def offer(self, key: str, bundle: Bundle, wire_bytes: int) -> None:
        """Keep a bundle that came."""
        self.attempts.succeeded(key)
        self.bundles.put(key, bundle, wire_bytes)
        self.known_good.offer(bundle)

    def finish(self, flight: Flight, answer: bytes) -> bytes:
        """Return the slate's JSON; without a usable answer of the scorer the linear one ranks."""
        policies, counters = self.policies, self.counters
        policy, epsilon = policies.policy, policies.exploration.epsilon
        decided = decided_slate(flight, answer, policy, epsilon)
        counters.tiers[flight.tier] += 1
        if decided is None or flight.ready is None:
            slate = empty_slate(flight, policy, epsilon, self.model.version)
            counters.rungs[slate.degraded] += 1
            return slate_json(slate, {})
        slate = decided.slate
        counters.rungs[slate.degraded] += 1
        counters.scorers[decided.scorer] += 1
        policies.slate_served(slate.exploration_rate)
        counters.exploration["positions"] += len(slate.items)
        counters.exploration["explored"] += sum([item.explored for item in slate.items])
        version = self.model.version if decided.scored is not None else decided.scorer
        self.slates.add(flight, flight.ready, decided, version)
        return slate_json(slate, flight.ready.columns.cards)

    def last_known_good(self, bundle: Bundle, now_ms: int) -> bytes:
        """Return the answer to serve on the bundle's surface when nothing works any more."""
        return last_known_good(bundle, self.policies.policy, now_ms)

    def _under_previous_model(self, flight: Flight) -> Found | None:
        """Return the request's bundle of the time before a model changed, and renew it."""
        previous = self.models.previous_version
        if previous is None:
            return None
        found = self.bundles.find(_key(flight.request, previous), flight.now_ms)
        if found is not None:
            self._fetch_behind(flight, Fetch(flight.key, own_question(flight.request)))
        return found

    def _awaited(self, flight: Flight) -> Awaited:
        fetch = Fetch(flight.key, own_question(flight.request))
        now_ms = flight.now_ms
        has_spare = (
            self.bundles.find(flight.key, now_ms) is not None or self._fallback(flight) is not None
        )
        spares = () if has_spare else self._spares(flight)
        if self.attempts.is_hopeless(flight.key, now_ms):
            return Awaited(fetch, 0, spares)
        if not self.origin.is_worth_waiting_for(now_ms):
            self._fetch_behind(flight, fetch)
            return Awaited(fetch, 0, spares)
        self.attempts.started(flight.key, now_ms)
        deadline_ms = BUNDLE_DEADLINE_MS if has_spare else FIRST_BUNDLE_DEADLINE_MS
        return Awaited(fetch, deadline_ms, spares)

    def _fallback(self, flight: Flight) -> Standing | None:
        version, now_ms = self.model.version, flight.now_ms
        return fallback(self.bundles, self.known_good, flight.request, version, now_ms)

    def _spares(self, flight: Flight) -> tuple[Fetch, ...]:
        return tuple(
            Fetch(key, shared_question(flight.request, consent))
            for key, consent in shared_keys(flight.request, self.model.version)
            if key != flight.key
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
            self._fetch_behind(flight, Fetch(flight.key, own_question(flight.request)), pause_ms)

    def _fetch_behind(self, flight: Flight, fetch: Fetch, pause_ms: int = REFRESH_PAUSE_MS) -> None:
        now_ms = flight.now_ms
        if self.attempts.may_start(fetch.key, now_ms, pause_ms) and self.origin.may_be_asked(
            now_ms
        ):
            self.attempts.started(fetch.key, now_ms)
            flight.behind.append(fetch)

    def _prepare(self, flight: Flight) -> None:
        if flight.standing is not None:
            flight.ready = prepared(
                flight.request, flight.standing.bundle, self.policies.policy, flight.now_ms
            )


def _key(request: RecommendationRequest, model_version: str) -> str:
    return bundle_key(
        request.user_id, request.surface, request.consent, request.context, model_version
    )
