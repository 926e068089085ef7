"""CPython and the built worker in workerd decide alike, byte for byte."""

import json
import random
import struct
from collections.abc import Iterator
from dataclasses import replace
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

STATES = 300

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    config = front_door_config(tmp_path_factory.mktemp("parity"))
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


def same_plan(ours: bytes, theirs: bytes) -> dict[str, Any]:
    """Assert that two plans agree, byte for byte; return what is in them."""
    assert ours == theirs
    return cast("dict[str, Any]", msgpack.unpackb(ours))


def test_every_decision_and_every_byte_is_the_same_in_both_runtimes(worker: Worker) -> None:
    phases = Phases((DIST / "scorer/edge_scorer.json").read_bytes())
    rng = random.Random(20260301)
    now_ms = NOW_MS
    waited = 0
    for state in range(STATES):
        now_ms += rng.randrange(4_000)
        if state % 25 == 0:
            policy = bytes(msgpack.packb(pack_policy(random_policy(rng))))
            phases.offer_policy(policy, f'"{state}"', now_ms)
            worker.call("offer_policy", policy, f'"{state}"', now_ms)
        arrival = packed_arrival(rng, now_ms)
        plan = same_plan(phases.begin(arrival), worker.call("begin", arrival))
        handle = plan["handle"]
        for fetch in plan.get("behind", ()):
            payload = answer(fetch["question"], rng, now_ms)
            offered = phases.offer_bundle(fetch["key"], payload, "origin", now_ms)
            assert offered == worker.call("offer_bundle", fetch["key"], payload, "origin", now_ms)
        if "wait" in plan:
            waited += 1
            source = rng.choice(("origin", "origin", "cache", "late", "none"))
            came = source in ("origin", "cache")
            payload = answer(plan["wait"]["question"], rng, now_ms) if came else b""
            plan = same_plan(
                phases.resume(handle, payload, source, now_ms),
                worker.call("resume", handle, payload, source, now_ms),
            )
        scores = random_scores(rng, plan.get("candidates", 0))
        assert phases.finish(handle, scores) == worker.call("finish", handle, scores)
        phases.drop(handle)
        worker.call("drop", handle)
    assert phases.status() == worker.call("status")
    report = json.loads(phases.status())
    assert waited > STATES // 10
    assert set(report["rungs"]) >= {"full", "stale", "popular"}
    assert report["scorers"]["linear"] > 0


def answer(question: bytes, rng: random.Random, now_ms: int) -> bytes:
    """Return a bundle as the origin would make it, now and then an old one."""
    asked = read_bundle_request(msgpack.unpackb(question))
    created_at_ms = now_ms - rng.choice((0, 0, 20_000, 7_200_000))
    return bytes(msgpack.packb(pack_bundle(random_bundle(asked, rng, created_at_ms))))


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
