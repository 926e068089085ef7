"""The phases as JavaScript calls them: msgpack in, msgpack out, one flight per request.

What goes in and out is bytes, so that neither side holds on to an object of the other; and the same
class runs in CPython, where the tests compare it with the worker byte by byte.
"""

# msgpack is not typed.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any, cast

import msgpack

from attune.consent import Consent
from attune.contract.bundle import Bundle, BundleRequest, pack_bundle_request, read_bundle
from attune.contract.decode import ContractError, Fields
from attune.contract.policy import read_policy
from attune.identity import ID_BYTES, TOKEN_LENGTH_MAX
from attune.recommend import scorer_rows
from edge_worker.arrival import Arrival
from edge_worker.flight import Awaited, Fetch, Flight
from edge_worker.gate import Gate
from edge_worker.handler import BUNDLE_DEADLINE_MS, SCORER_DEADLINE_MS, Edge
from edge_worker.identity import Credentials, identified_batch, identified_request
from edge_worker.intake import RETRY_AFTER_S, outcome, read_intake
from edge_worker.model import read_model
from edge_worker.refusal import refusal
from edge_worker.settings import EdgeSettings, read_settings

FLIGHTS_MAX = 1_000
"""Requests between their phases; JavaScript drops each in ``finally``, so more are a leak."""

QUESTIONS_MAX = 512
"""Bundles that were asked for and have not come yet."""


class Phases:
    """One isolate's edge behind an interface of bytes."""

    def __init__(self, manifest: bytes) -> None:
        self.edge = Edge(read_model(json.loads(manifest)))
        self._flights: OrderedDict[int, Flight] = OrderedDict()
        self._questions: OrderedDict[str, BundleRequest] = OrderedDict()
        self._handles = 0
        self._gate = Gate(EdgeSettings(), self.edge.counters)

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

        ``source`` is "cache" or "origin" for what came, "late" when the origin did not answer in
        time, "none" when it was not asked.
        """
        flight = self._flights[handle]
        flight.now_ms = now_ms
        self._note_origin(source, now_ms)
        bundle = self._accepted(flight.key, payload)
        self.edge.resume(flight, bundle, source)
        keep_ms = bundle.stale_ms if bundle is not None else 0
        return self._plan(handle, flight, None, keep_ms, self._static(bundle, now_ms))

    def finish(self, handle: int, scores: bytes) -> bytes:
        """Return the answer; empty scores mean that the scorer had none."""
        return self.edge.finish(self._flights[handle], scores or None)

    def drop(self, handle: int) -> None:
        """Forget the request."""
        self._flights.pop(handle, None)

    def offer_bundle(self, key: str, payload: bytes, source: str, now_ms: int) -> bytes:
        """Take a bundle that no request waits for.

        ``source`` is "origin" or "cache" for what came, "failed" (and the payload empty) when a
        fetch behind an answer brought nothing.
        """
        self._note_origin(source, now_ms)
        bundle = self._accepted(key, payload)
        if bundle is None:
            self.edge.counters.refreshes["failed"] += 1
            return pack({"keep_ms": 0, "static": None})
        self.edge.offer(key, bundle)
        return pack({"keep_ms": bundle.stale_ms, "static": self._static(bundle, now_ms)})

    def offer_policy(self, payload: bytes, etag: str) -> None:
        """Take a policy snapshot."""
        try:
            self.edge.policies.accept(read_policy(unpack(payload)), etag)
        except (ContractError, ValueError):
            self.edge.counters.errors["policy"] += 1

    def begin_events(self, arrival: bytes) -> bytes:
        """Read a batch: return its error, or what to forward and how to acknowledge it then."""
        try:
            arrived, headers = self._gate.identified(read_arrival(arrival), identified_batch)
            intake = read_intake(arrived.body, arrived.global_privacy_control)
        except ContractError as error:
            self.edge.counters.events["refused_batches"] += 1
            return pack(refusal(error))
        self.edge.counters.events["rejected"] += len(intake.batch.rejected)
        self.edge.counters.events["dropped_by_consent"] += intake.batch.dropped_by_consent
        status, body = outcome(intake.batch)
        if not intake.batch.events:
            return pack({"status": status, "body": body, "headers": headers})
        return pack(
            {
                "headers": headers,
                "forward": pack(intake.forward),
                "acknowledgement": body,
                "users": list(intake.users),
                "count": len(intake.batch.events),
                "retry_after_s": RETRY_AFTER_S,
            }
        )

    def finish_events(self, users: bytes, count: int, accepted: bool, now_ms: int) -> None:
        """Note what became of a batch; users whose events were taken get newer bundles."""
        self.edge.counters.events["accepted" if accepted else "turned_away"] += count
        if accepted:
            self.edge.bundles.user_acted(cast("list[str]", unpack(users)), now_ms)

    def status(self) -> bytes:
        """Return the counters and what is in force, as JSON."""
        edge, policies = self.edge, self.edge.policies
        report: dict[str, object] = {
            "model_version": edge.model.version,
            "model_fits": edge.model.fits,
            "policy_version": policies.policy.version,
            "epsilon": round(policies.exploration.epsilon, 6),
            "exploration_rate": round(policies.exploration.rate, 6),
            "bundles": len(edge.bundles),
            "flights": len(self._flights),
            **edge.counters.as_json(),
        }
        return json.dumps(report).encode()

    def _plan(
        self,
        handle: int,
        flight: Flight,
        awaited: Awaited | None,
        keep_ms: int = 0,
        static: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        plan: dict[str, object] = {"handle": handle, "keep_ms": keep_ms, "static": static}
        if headers is not None:
            plan["headers"] = headers
        if awaited is not None:
            plan["wait"] = self._fetch(awaited.fetch) | {
                "deadline_ms": awaited.deadline_ms,
                "spares": [self._fetch(spare)["key"] for spare in awaited.spares],
                "spare_deadline_ms": min(awaited.deadline_ms, BUNDLE_DEADLINE_MS),
            }
        elif flight.ready is not None and self.edge.model.fits:
            plan["features"] = scorer_rows(flight.ready).tobytes()
            plan["rows"] = len(flight.ready.eligible)
            plan["scorer_deadline_ms"] = SCORER_DEADLINE_MS
        plan["behind"] = [self._fetch(fetch) for fetch in flight.behind]
        flight.behind.clear()
        policies = self.edge.policies
        if policies.is_due(flight.now_ms):
            policies.checked(flight.now_ms)
            plan["policy_etag"] = policies.etag
        return pack(plan)

    def _fetch(self, fetch: Fetch) -> dict[str, object]:
        self._questions[fetch.key] = fetch.question
        while len(self._questions) > QUESTIONS_MAX:
            self._questions.popitem(last=False)
        return {"key": fetch.key, "question": pack(pack_bundle_request(fetch.question))}

    def _accepted(self, key: str, payload: bytes) -> Bundle | None:
        """Return the bundle in ``payload`` if it answers the question asked under ``key``."""
        question = self._questions.get(key)
        if not payload or question is None:
            return None
        try:
            bundle = read_bundle(unpack(payload))
            self.edge.accept(bundle, question)
        except (ContractError, ValueError):
            self.edge.counters.errors["bundle"] += 1
            return None
        return bundle

    def _note_origin(self, source: str, now_ms: int) -> None:
        if source == "origin":
            self.edge.origin.answered()
        elif source == "late":
            self.edge.origin.late(now_ms)
        elif source == "failed":
            self.edge.origin.failed(now_ms)

    def _static(self, bundle: Bundle | None, now_ms: int) -> dict[str, object] | None:
        """Return the last known good answer that a bundle for everyone makes possible."""
        if bundle is None or bundle.consent is not Consent.NONE:
            return None
        body = self.edge.last_known_good(bundle, now_ms)
        return {"surface": bundle.surface, "body": body}


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


def pack(value: object) -> bytes:
    """Return the value as msgpack."""
    return cast("bytes", msgpack.packb(value))


def unpack(payload: bytes) -> Any:
    """Return the value in a msgpack message; raise ValueError where it is not one."""
    return msgpack.unpackb(payload)
