"""CPython and the built worker in workerd decide alike, byte for byte."""

import json
import random
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
import msgpack
import numpy as np
import pytest
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from attune.consent import Consent
from attune.contract.bundle import BundleRequest, pack_bundle, read_bundle_request
from attune.contract.policy import pack_policy
from attune.contract.recommendation import read_recommendation_request
from attune.features import EDGE_FEATURES
from attune.recommend import Prepared, prepared, scorer_rows
from attune.scorer_inputs import scorer_inputs
from edge_worker.phases import Phases
from origin.edge_server import running_edge
from tests.integration.edge.conftest import free_port
from tests.parity.front_door import DIST, Worker, front_door_config
from tests.parity.states import NOW_MS, random_bundle, random_context, random_policy, random_request

STATES = 1_000

CALLS_PER_REQUEST = 200
"""Some 2 MB a request; one by one, the way between the processes would take most of the time."""

Floats = NDArray[np.float32]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    config = front_door_config(tmp_path)
    with (
        running_edge("http://127.0.0.1:1", free_port(), config=config) as server,
        httpx.Client(base_url=server.url, timeout=30.0) as client,
    ):
        yield Worker(client)


def packed_arrival(rng: random.Random, now_ms: int) -> bytes:
    arrival = {
        "body": random_request(rng, now_ms),
        "global_privacy_control": rng.random() < 0.1,
        "region": "FR",
        "now_ms": now_ms,
        "entropy": rng.randbytes(18),
    }
    return bytes(msgpack.packb(arrival))


class Recorded:
    """The phases in CPython, and what was called and returned."""

    def __init__(self) -> None:
        self._phases = Phases((DIST / "scorer/edge_scorer.json").read_bytes())
        self.calls: list[tuple[object, ...]] = []
        self.results: list[bytes | None] = []

    def call(self, phase: str, *values: object) -> bytes:
        result = cast("bytes | None", getattr(self._phases, phase)(*values))
        self.calls.append((phase, *values))
        self.results.append(result)
        return result or b""


def test_every_decision_and_every_byte_is_the_same_in_both_runtimes(worker: Worker) -> None:
    ours, rng, now_ms = Recorded(), random.Random(20260301), NOW_MS
    for state in range(STATES):
        now_ms += rng.randrange(4_000)
        if state % 50 == 25:
            policy = bytes(msgpack.packb(pack_policy(random_policy(rng))))
            ours.call("offer_policy", policy, f'"{state}"', now_ms)
        slate = visited(ours, rng, now_ms)
        if rng.random() < 0.3 and slate["items"]:
            click(ours, slate, rng, now_ms)
        if state % 100 == 99:
            ours.call("take_slates", now_ms)
            ours.call("slates_sent", True, now_ms)
    report = json.loads(ours.call("status"))
    for start in range(0, len(ours.calls), CALLS_PER_REQUEST):
        end = start + CALLS_PER_REQUEST
        theirs = worker.calls(ours.calls[start:end])
        for call, expected, result in zip(
            ours.calls[start:end], ours.results[start:end], theirs, strict=True
        ):
            if call[0] == "take_slates":
                # These carry floats as they are, whose last bits are the runtime's.
                assert rounded(msgpack.unpackb(result)) == rounded(msgpack.unpackb(expected))
            else:
                assert result == expected, f"{call[0]} differs"
    # Chance must not have left a part of the space out.
    assert set(report["rungs"]) >= {"full", "stale", "popular", "static"}
    assert min(report["scorers"]["linear"], report["scorers"]["model"]) > STATES // 20
    assert report["rewards_pending"] > 0
    assert report["exploration"]["explored"] > STATES // 10


def rounded(value: object) -> object:
    """Return the value with its floats rounded to 12 places."""
    match value:
        case float():
            return round(value, 12)
        case list():
            return [rounded(entry) for entry in cast("list[object]", value)]
        case dict():
            entries = cast("dict[str, object]", value).items()
            return {name: rounded(entry) for name, entry in entries}
        case _:
            return value


def visited(ours: Recorded, rng: random.Random, now_ms: int) -> dict[str, Any]:
    """Go through a request's phases; return its slate."""
    plan = msgpack.unpackb(ours.call("begin", packed_arrival(rng, now_ms)))
    handle = plan["handle"]
    for fetch in plan.get("behind", ()):
        payload = answer(fetch["question"], rng, now_ms)
        ours.call("offer_bundle", fetch["key"], payload, "origin", now_ms)
    if "wait" in plan:
        source = rng.choice(("origin", "origin", "cache", "late", "none"))
        came = source in ("origin", "cache")
        payload = answer(plan["wait"]["question"], rng, now_ms) if came else b""
        plan = msgpack.unpackb(ours.call("resume", handle, payload, source, now_ms))
    scores = random_scores(rng, plan.get("candidates", 0))
    slate = json.loads(ours.call("finish", handle, scores))
    ours.call("drop", handle)
    return cast("dict[str, Any]", slate)


def click(ours: Recorded, slate: dict[str, Any], rng: random.Random, now_ms: int) -> None:
    """Have somebody click an item of the slate, and the origin acknowledge it."""
    event = {
        "event_id": f"{rng.getrandbits(64):x}",
        "type": rng.choice(("click", "cart", "dismiss")),
        "consent": "cohort",
        "session_id": "s",
        "item_id": rng.choice(slate["items"])["item_id"],
        "occurred_at_ms": now_ms,
        "slate_id": slate["slate_id"],
        "context": random_context(rng).pack(),
    }
    arrival = {"body": {"events": [event]}, "now_ms": now_ms, "entropy": rng.randbytes(18)}
    plan = msgpack.unpackb(ours.call("begin_events", bytes(msgpack.packb(arrival))))
    positions = json.dumps({"positions": {"0": rng.randrange(1_000_000)}}).encode()
    ours.call("finish_events", plan["handle"], positions, 0, 0, now_ms)


def answer(question: bytes, rng: random.Random, now_ms: int) -> bytes:
    """Return a bundle as the origin would make it, now and then an old one."""
    asked = read_bundle_request(msgpack.unpackb(question))
    size = rng.choice((1, 5, 20, 60, 60, 120, 200))
    created_at_ms = now_ms - rng.choice((0, 0, 20_000, 7_200_000))
    return bytes(msgpack.packb(pack_bundle(random_bundle(asked, rng, created_at_ms, size))))


def random_scores(rng: random.Random, rows: int) -> bytes:
    """Return the scorer's answer; one in ten times there is none."""
    if rng.random() < 0.1:
        return b""
    return struct.pack(f"<{rows}f", *(rng.random() for _ in range(rows)))


def test_a_batch_of_events_is_read_the_same_in_both_runtimes(worker: Worker) -> None:
    phases = Phases((DIST / "scorer/edge_scorer.json").read_bytes())
    good = {
        "event_id": "e1",
        "type": "click",
        "consent": "full",
        "user_id": "u1",
        "session_id": "s1",
        "item_id": "i1",
        "occurred_at_ms": NOW_MS,
    }
    batches = [
        {"events": [good, {**good, "consent": "none"}, {**good, "type": "sneeze"}]},
        {"events": [{**good, "position": 2.0, "propensity": 0.25, "slate_id": "x"}]},
        {"events": [{**good, "item_id": ""}]},
        {"events": []},
        {"events": [good], "extra": 1},
        [],
        None,
        7,
    ]
    for body in batches:
        arrival = {"body": body, "now_ms": NOW_MS, "entropy": bytes(18)}
        packed = bytes(msgpack.packb(arrival))
        assert phases.begin_events(packed) == worker.call("begin_events", packed)


def test_the_scorer_makes_the_kernel_s_features_and_the_origin_s_probabilities(
    worker: Worker,
) -> None:
    rng = random.Random(5)
    session = InferenceSession(DIST / "scorer/edge_scorer.onnx")
    for _ in range(40):
        ready, block = random_scoring(rng)
        answer = np.frombuffer(worker.call("score", block), np.float32)
        count, width = len(ready.columns.places), len(EDGE_FEATURES)
        features = np.frombuffer(scorer_rows(ready), np.float32).reshape(count, width)
        expected = cast("list[Floats]", session.run(["scores"], {"features": features}))
        np.testing.assert_allclose(answer[count:].reshape(count, width), features, 1e-6, 1e-6)
        np.testing.assert_allclose(answer[:count], expected[0], rtol=1e-4, atol=1e-6)


def random_scoring(rng: random.Random) -> tuple[Prepared, bytes]:
    """Return a request of which every candidate is scored, and its block."""
    user = rng.choice(("user-1", None))
    consent = Consent.FULL if user is not None else Consent.COHORT
    question = BundleRequest(consent, user, "home", random_context(rng), 200)
    bundle = random_bundle(question, rng, NOW_MS, rng.choice((1, 2, 64, 200)))
    asked = random_request(rng, NOW_MS) | {"consent": consent.value, "user_id": user}
    request = read_recommendation_request(asked)
    ready = prepared(request, bundle, random_policy(rng), NOW_MS)
    ready = replace(ready, eligible=list(range(len(ready.columns.places))))
    return ready, scorer_inputs(bundle, ready.columns, ready.session, request.context)
