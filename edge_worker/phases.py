"""The phases as JavaScript calls them: msgpack in, msgpack out, one flight per request.

What goes in and out is bytes, so that neither side holds on to an object of the other; and the same
class runs in CPython, where the tests compare it with the worker byte by byte.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import cast

from attune.consent import Consent
from attune.contract import SCHEMA_VERSION
from attune.contract.bundle import Bundle, BundleRequest, pack_bundle_request, read_bundle
from attune.contract.decode import ContractError, Fields
from attune.contract.event import Impression
from attune.contract.policy import read_policy, read_positions
from attune.identity import ID_BYTES, TOKEN_LENGTH_MAX
from attune.scorer_inputs import scorer_inputs
from edge_worker.arrival import Arrival
from edge_worker.card_shelf import CardShelf
from edge_worker.chores import LOOK_MS, Chores
from edge_worker.flight import Awaited, Fetch, Flight
from edge_worker.gate import Gate
from edge_worker.handler import BUNDLE_DEADLINE_MS, SCORER_DEADLINE_MS, Edge
from edge_worker.identity import Credentials, identified_request
from edge_worker.intake import Intake
from edge_worker.local_rewards import effects
from edge_worker.model import read_model
from edge_worker.refusal import refusal
from edge_worker.settings import EdgeSettings, read_settings
from edge_worker.wire import pack, unpack

FLIGHTS_MAX = 1_000
"""Requests between their phases; JavaScript drops each in ``finally``, so more are a leak."""

QUESTIONS_MAX = 512
"""Bundles that were asked for and have not come yet."""

KNOWN_GOOD_MS = 7 * 86_400_000
"""How long a bundle for everyone is kept: past its time it is the last known good."""


class Phases:
    """One isolate's edge behind an interface of bytes."""

    def __init__(self, manifest: bytes) -> None:
        self.edge = Edge(read_model(json.loads(manifest)))
        self._flights: OrderedDict[int, Flight] = OrderedDict()
        self._questions: OrderedDict[str, BundleRequest] = OrderedDict()
        self._cards = CardShelf()
        self._chores = Chores()
        self._look_at_ms = 0
        self._handles = 0
        self._gate = Gate(EdgeSettings(), self.edge.counters)
        self._intake = Intake(self.edge.counters)

    def configure(self, variables: bytes) -> None:
        """Take the deployment's settings, once, before the first request.

        Raises:
            SettingsError: naming every malformed variable.
        """
        self._gate = Gate(read_settings(unpack(variables)), self.edge.counters)

    def begin(self, arrival: bytes) -> bytes:
        """Start a request: return its error, what it waits for, or what is to be scored."""
        try:
            arrived, headers = self._gate.identified(read_arrival(arrival), identified_request)
            flight, awaited = self.edge.begin(arrived)
        except ContractError as error:
            self.edge.counters.errors["contract"] += 1
            return pack(refusal(error))
        self._handles += 1
        self._flights[self._handles] = flight
        while len(self._flights) > FLIGHTS_MAX:
            self._flights.popitem(last=False)
        return self._plan(self._handles, flight, awaited, headers=headers)

    def resume(self, handle: int, payload: bytes, source: str, now_ms: int) -> bytes:
        """Go on with the bundle from ``source``; an empty payload says that none came.

        ``source`` is "cache", "kv" or "origin" for what came, "late" when the origin did not answer
        in time, "failed" or "refused" when it had no bundle, "none" when it was not asked.
        """
        flight = self._flights[handle]
        flight.now_ms = now_ms
        self._note_origin(flight.key, source, now_ms)
        bundle = self._accepted(flight.key, payload, now_ms)
        self.edge.resume(flight, bundle, len(payload), source)
        return self._plan(handle, flight, None, bundle)

    def finish(self, handle: int, scores: bytes) -> bytes:
        """Return the answer; empty scores mean that the scorer had none."""
        return self.edge.finish(self._flights[handle], scores)

    def drop(self, handle: int) -> None:
        """Forget the request."""
        self._flights.pop(handle, None)

    def offer_bundle(self, key: str, payload: bytes, source: str, now_ms: int) -> bytes:
        """Take a bundle that no request waits for.

        ``source`` is "origin", "cache" or "kv" for what came, "failed" or "refused" (and the
        payload empty) when a fetch behind an answer brought nothing.
        """
        self._note_origin(key, source, now_ms)
        bundle = self._accepted(key, payload, now_ms)
        self.edge.counters.refreshes["failed" if bundle is None else "accepted"] += 1
        if bundle is not None:
            self.edge.offer(key, bundle, len(payload))
        return pack(self._kept(bundle, now_ms))

    def offer_known_good(self, payload: bytes) -> None:
        """Take the deployment's own bundles, to be read when nothing else is left."""
        self.edge.known_good.deploy(lambda: self._deployed(payload))

    def offer_policy(self, payload: bytes, etag: str, now_ms: int) -> None:
        """Take a policy snapshot."""
        try:
            self.edge.policies.accept(read_policy(unpack(payload)), etag, now_ms)
        except (ContractError, ValueError):
            self.edge.counters.errors["policy"] += 1

    def offer_model(self, manifest: bytes, etag: str) -> bytes:
        """Take a newer manifest: return the hash of the graph to load, or why it is refused."""
        models = self.edge.models
        try:
            offered = read_model(json.loads(manifest))
        except (ContractError, ValueError) as error:
            self.edge.counters.models["refused"] += 1
            models.etag, models.refused = etag, "unreadable"
            return pack({"refused": str(error)})
        if models.consider(offered, etag):
            return pack({"load": offered.sha256})
        if offered.fits:
            return pack({})
        self.edge.counters.models["refused"] += 1
        return pack({"refused": f"{offered.version} was trained on other inputs"})

    def model_loaded(self, succeeded: bool) -> None:
        """Put the model in force that the scorer worker has loaded, unless it could not."""
        in_force = self.edge.models.loaded(succeeded)
        self.edge.counters.models["adopted" if in_force else "failed"] += 1

    def take_slates(self, now_ms: int) -> bytes:
        """Return the next batch of served slates for the origin; empty when there is none."""
        batch = self.edge.slates.take(now_ms)
        return b"" if batch is None else pack(batch)

    def slates_sent(self, accepted: bool, now_ms: int) -> None:
        """Note what became of the batch."""
        self.edge.slates.sent(accepted, now_ms)

    def take_report(self) -> bytes:
        """Return what was counted since the last report that arrived."""
        return pack({"schema": SCHEMA_VERSION, "counters": self.edge.counters.since_report()})

    def report_arrived(self, report: bytes) -> None:
        """Note that the origin has the report."""
        self.edge.counters.reported(unpack(report)["counters"])

    def begin_events(self, arrival: bytes) -> bytes:
        """Read a batch: return its answer, or what to forward and how to acknowledge it then."""
        try:
            return pack(self._intake.begin(self._gate, read_arrival(arrival)))
        except ContractError as error:
            self.edge.counters.events["refused_batches"] += 1
            return pack(refusal(error))

    def begin_messages(self, arrival: bytes, kind: str) -> bytes:
        """Do the same for a call of the tracking API; ``kind`` is "track", "batch" and so on."""
        try:
            return pack(self._intake.begin_messages(self._gate, read_arrival(arrival), kind))
        except ContractError as error:
            self.edge.counters.events["refused_batches"] += 1
            return pack(refusal(error))

    def finish_events(
        self, handle: int, answer: bytes, before: int, after: int, now_ms: int
    ) -> None:
        """Note what became of a batch: its users get newer bundles, its rewards count here at once.

        ``answer`` is the origin's body, empty when it did not take the batch; ``before`` and
        ``after`` are the events of other batches that went in the same request.
        """
        events = self._intake.finish(handle, accepted=bool(answer))
        if answer:
            acting = (event for event in events if not isinstance(event, Impression))
            users = dict.fromkeys(e.user_id for e in acting if e.user_id is not None)
            self.edge.bundles.user_acted(users, now_ms)
            of_others: list[object] = []
            placed = [of_others] * before + effects(events) + [of_others] * after
            self.edge.policies.learn(placed, _positions(answer), now_ms)

    def status(self) -> bytes:
        """Return the counters and what is in force, as JSON."""
        edge, policies = self.edge, self.edge.policies
        report: dict[str, object] = {
            "model_version": edge.model.version,
            "model_fits": edge.model.fits,
            "model_refused": edge.models.refused,
            "policy_version": policies.policy.version,
            "epsilon": round(policies.exploration.epsilon, 6),
            "exploration_rate": round(policies.exploration.rate, 6),
            "bundles": len(edge.bundles),
            "bundle_bytes": edge.bundles.bytes_held,
            "slates_waiting": len(edge.slates),
            "rewards_pending": len(policies.rewards),
            "flights": len(self._flights),
            "identity": "enforced" if self._gate.settings.keys.enforced else "open",
            "clients": self._gate.clients,
            **edge.counters.as_json(),
        }
        return json.dumps(report).encode()

    def _plan(
        self,
        handle: int,
        flight: Flight,
        awaited: Awaited | None,
        came: Bundle | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        plan: dict[str, object] = {"handle": handle}
        if came is not None:
            plan |= self._kept(came, flight.now_ms)
        if headers is not None:
            plan["headers"] = headers
        if awaited is not None:
            plan["wait"] = self._fetch(awaited.fetch) | {
                "deadline_ms": awaited.deadline_ms,
                "spares": [self._fetch(spare)["key"] for spare in awaited.spares],
                "spare_deadline_ms": min(awaited.deadline_ms, BUNDLE_DEADLINE_MS),
            }
        elif flight.ready is not None and self.edge.model.fits:
            ready = flight.ready
            plan["inputs"] = scorer_inputs(
                ready.bundle, ready.columns, ready.session, ready.request.context
            )
            plan["candidates"] = len(ready.columns.places)
            if self.edge.models.previous_version is not None:
                plan["model"] = self.edge.model.sha256
            plan["scorer_deadline_ms"] = SCORER_DEADLINE_MS
        if flight.behind:
            plan["behind"] = [self._fetch(fetch) for fetch in flight.behind]
            flight.behind.clear()
        if flight.now_ms >= self._look_at_ms or self.edge.slates.has_full_batch():
            self._look_at_ms = flight.now_ms + LOOK_MS
            plan |= self._due(flight.now_ms)
        return pack(plan)

    def _due(self, now_ms: int) -> dict[str, object]:
        """Return what to do behind the answer."""
        due: dict[str, object] = {}
        if self._chores.policy_due(now_ms):
            due["policy_etag"] = self.edge.policies.etag
        if self._chores.model_due(now_ms):
            due["model_etag"] = self.edge.models.etag
        if self.edge.slates.is_due(now_ms):
            due["slates"] = True
        if self._chores.report_due(now_ms):
            due["report"] = True
        return {"chores": due} if due else due

    def _fetch(self, fetch: Fetch) -> dict[str, object]:
        self._questions[fetch.key] = fetch.question
        while len(self._questions) > QUESTIONS_MAX:
            self._questions.popitem(last=False)
        return {"key": fetch.key, "question": pack(pack_bundle_request(fetch.question))}

    def _accepted(self, key: str, payload: bytes, now_ms: int) -> Bundle | None:
        """Return the bundle in ``payload`` if it answers the question asked under ``key``."""
        question = self._questions.get(key)
        if not payload or question is None:
            return None
        try:
            bundle = read_bundle(unpack(payload), self._cards.card)
            self.edge.accept(bundle, question)
        except (ContractError, ValueError):
            self.edge.counters.errors["bundle"] += 1
            self.edge.attempts.failed(key, now_ms)
            return None
        return bundle

    def _note_origin(self, key: str, source: str, now_ms: int) -> None:
        if source in ("origin", "refused"):
            self.edge.origin.answered()
        elif source == "late":
            self.edge.origin.late(now_ms)
        elif source == "failed":
            self.edge.origin.failed(now_ms)
        if source in ("failed", "refused"):
            self.edge.attempts.failed(key, now_ms, refused=source == "refused")

    def _kept(self, bundle: Bundle | None, now_ms: int) -> dict[str, object]:
        """Return for how long JavaScript may keep a bundle outside of the isolate.

        With one for everyone goes the last known good answer that it makes possible.
        """
        if bundle is None:
            return {"keep_ms": 0}
        if bundle.consent is not Consent.NONE:
            return {"keep_ms": bundle.stale_ms}
        body = self.edge.last_known_good(bundle, now_ms)
        return {
            "keep_ms": max(bundle.stale_ms, KNOWN_GOOD_MS),
            "static": {"surface": bundle.surface, "body": body},
        }

    def _deployed(self, payload: bytes) -> list[Bundle]:
        """Return the deployment's own bundles without those that cannot be used."""
        bundles: list[Bundle] = []
        for packed in cast("list[bytes]", unpack(payload)["bundles"]):
            try:
                bundles.append(read_bundle(unpack(packed)))
            except (ContractError, ValueError):
                self.edge.counters.errors["known_good"] += 1
        return bundles


def _positions(answer: bytes) -> Mapping[int, int]:
    """Return where the origin says that the batch stands in the log; nothing if it does not say."""
    try:
        return Fields(json.loads(answer)).nested("positions", read_positions, {})
    except (ContractError, ValueError):
        return {}


def read_arrival(packed: bytes) -> Arrival:
    """Return what JavaScript says of a request."""
    fields = Fields(unpack(packed))
    return Arrival(
        body=fields.raw("body"),
        global_privacy_control=fields.boolean("global_privacy_control", default=False),
        region=fields.optional_text("region", 8) or "",
        now_ms=fields.time_ms("now_ms"),
        entropy=fields.raw_bytes("entropy", 18),
        client=fields.optional_text("client", 64) or "",
        credentials=fields.nested("identity", read_credentials, Credentials()),
    )


def read_credentials(packed: object) -> Credentials:
    """Return what a request brings to prove who it acts for."""
    fields = Fields(packed)
    return Credentials(
        authorization=fields.optional_text("authorization", TOKEN_LENGTH_MAX) or "",
        cookie=fields.optional_text("cookie", TOKEN_LENGTH_MAX) or "",
        is_https=fields.boolean("is_https", default=False),
        random_bytes=fields.raw_bytes("random_bytes", ID_BYTES),
    )
