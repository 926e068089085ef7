"""A synthetic visit through all phases: what has run once is warm in the interpreter's snapshot."""

from __future__ import annotations

import json
import random
from array import array
from typing import Any

from attune.contract import SCHEMA_VERSION
from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.features import CANDIDATE_FEATURES
from edge_worker.phases import Phases
from edge_worker.wire import pack, unpack

CANDIDATES = 32
NOW_MS = 1_767_225_600_000
"""2026-01-01: a rehearsal knows no clock."""


def rehearse(manifest: bytes) -> None:
    """Take a visitor through a miss, a hit, a refusal and a click, on an edge that is thrown away.

    Raises:
        RuntimeError: when a phase does not answer as it should; a snapshot must not be made then.
    """
    phases = Phases(manifest)
    phases.offer_policy(pack(_policy()), '"rehearsal"', NOW_MS)
    phases.offer_model(manifest, '"rehearsal"')
    for now_ms in (NOW_MS, NOW_MS + 1_000, NOW_MS + 60_000):
        slate = _visit(phases, now_ms)
        if len(slate["items"]) != 6:
            raise RuntimeError(f"the rehearsed slate holds {len(slate['items'])} items: {slate}")
    refused = unpack(phases.begin(_arrival({"consent": "whatever"}, NOW_MS)))
    if refused["status"] != 400:
        raise RuntimeError(f"a bad request was not refused: {refused}")
    batch = unpack(phases.begin_events(_arrival({"events": [_click()]}, NOW_MS)))
    positions = b'{"positions": {"0": 1}}'
    phases.finish_events(batch["handle"], positions, 0, 0, NOW_MS)
    phases.take_slates(NOW_MS + 70_000)
    phases.slates_sent(True, NOW_MS + 70_000)
    phases.report_arrived(phases.take_report())
    phases.status()


def _visit(phases: Phases, now_ms: int) -> dict[str, Any]:
    """Return the slate of one request; its bundle comes from a synthetic origin when it must."""
    plan = unpack(phases.begin(_arrival(_request(), now_ms)))
    handle = plan["handle"]
    if "wait" in plan:
        question = unpack(plan["wait"]["question"])
        bundle = pack(_bundle(question, now_ms))
        plan = unpack(phases.resume(handle, bundle, "origin", now_ms))
    for fetch in plan.get("behind", ()):
        bundle = pack(_bundle(unpack(fetch["question"]), now_ms))
        phases.offer_bundle(fetch["key"], bundle, "origin", now_ms)
    scores = array("f", (0.1 + 0.001 * place for place in range(plan.get("candidates", 0))))
    slate = json.loads(phases.finish(handle, scores.tobytes()))
    phases.drop(handle)
    return slate


def _arrival(body: object, now_ms: int) -> bytes:
    return pack(
        {
            "body": body,
            "global_privacy_control": False,
            "region": "DE",
            "now_ms": now_ms,
            "entropy": bytes(range(18)),
        }
    )


def _request() -> dict[str, object]:
    recent = {"item_id": "item-3", "action": "click", "occurred_at_ms": NOW_MS - 5_000}
    return {
        "schema": SCHEMA_VERSION,
        "consent": "full",
        "user_id": "rehearsal",
        "session_id": "rehearsal",
        "surface": "home",
        "n": 6,
        "recent": [recent],
    }


def _click() -> dict[str, object]:
    return {
        "event_id": "rehearsal",
        "type": "click",
        "consent": "full",
        "user_id": "rehearsal",
        "session_id": "rehearsal",
        "slate_id": "rehearsal",
        "item_id": "item-1",
        "occurred_at_ms": NOW_MS,
    }


def _policy() -> dict[str, object]:
    return {"schema": SCHEMA_VERSION, "version": 1, "created_at_ms": NOW_MS}


def _bundle(question: dict[str, Any], now_ms: int) -> dict[str, object]:
    """Return an answer to the question in its wire form."""
    rng = random.Random(7)  # noqa: S311 - a synthetic catalogue

    def floats(count: int) -> bytes:
        return array("f", (rng.random() for _ in range(count))).tobytes()

    ids = [f"item-{number}" for number in range(CANDIDATES)]
    return {
        "schema": SCHEMA_VERSION,
        "version": "rehearsal",
        "user_id": question["user_id"],
        "consent": question["consent"],
        "surface": question["surface"],
        "created_at_ms": now_ms,
        "fresh_ms": 10_000,
        "stale_ms": 3_600_000,
        "policy_version": 1,
        "model_version": "rehearsal",
        "user_embedding": floats(EMBEDDING_DIMENSION),
        "seen": ["item-9"],
        "exposures": bytes(CANDIDATES),
        "recent_ids": [],
        "recent_embeddings": b"",
        "recent_categories": [],
        "item_ids": ids,
        "cards": [{"title": name, "category": f"c-{len(name)}", "price": 9.5} for name in ids],
        "sources": bytes(CANDIDATES),
        "embeddings": rng.randbytes(CANDIDATES * EMBEDDING_DIMENSION),
        "base_scores": array("f", sorted((rng.random() for _ in ids), reverse=True)).tobytes(),
        "feature_names": list(CANDIDATE_FEATURES),
        "features": floats(CANDIDATES * len(CANDIDATE_FEATURES)),
        "alpha": array("f", (1.0 + number for number in range(CANDIDATES))).tobytes(),
        "beta": array("f", (30.0 + number for number in range(CANDIDATES))).tobytes(),
    }
