"""The phases behind their interface of bytes, in CPython."""

import json
import random
from typing import Any

import msgpack

from attune.consent import Consent
from attune.contract.bundle import EMBEDDING_DIMENSION, pack_bundle, read_bundle_request
from attune.contract.policy import pack_policy
from attune.features import EDGE_FEATURES
from edge_worker.origin_health import LATE_MAX, PAUSE_MS
from edge_worker.phases import FLIGHTS_MAX, Phases
from tests.parity.states import NOW_MS, random_bundle, random_policy

REQUEST = {"consent": "full", "user_id": "u1", "session_id": "s1", "n": 6}


def manifest(**changes: object) -> bytes:
    """Return the manifest of a model that fits, with changes."""
    fitting = {
        "version": "m1",
        "feature_order": list(EDGE_FEATURES),
        "context_version": 1,
        "schema_version": 1,
    }
    return json.dumps(fitting | changes).encode()


def begin(phases: Phases, now_ms: int = NOW_MS, **changes: object) -> dict[str, Any]:
    arrival = {"body": REQUEST | changes, "now_ms": now_ms, "entropy": bytes(range(18))}
    return msgpack.unpackb(phases.begin(msgpack.packb(arrival)))


def bundle_for(question: bytes, **changes: object) -> bytes:
    asked = read_bundle_request(msgpack.unpackb(question))
    packed = pack_bundle(random_bundle(asked, random.Random(3), NOW_MS, candidates=20))
    return bytes(msgpack.packb(packed | changes))


def resume(phases: Phases, plan: dict[str, Any], payload: bytes, source: str) -> dict[str, Any]:
    return msgpack.unpackb(phases.resume(plan["handle"], payload, source, NOW_MS))


def test_a_request_goes_through_its_phases() -> None:
    phases = Phases(manifest())
    waiting = begin(phases)
    scoring = resume(phases, waiting, bundle_for(waiting["wait"]["question"]), "origin")
    assert len(scoring["inputs"]) > 20 * EMBEDDING_DIMENSION
    slate = json.loads(phases.finish(waiting["handle"], bytes(4 * scoring["candidates"])))
    assert phases.edge.counters.scorers == {"model": 1}
    assert slate["degraded"] == "full"
    assert len(slate["items"]) == 6
    phases.drop(waiting["handle"])
    assert "wait" not in begin(phases)


def test_a_model_trained_on_other_inputs_is_never_asked() -> None:
    for changes in ({"feature_order": ["age"]}, {"context_version": 9}, {"schema_version": 9}):
        phases = Phases(manifest(**changes))
        waiting = begin(phases)
        plan = resume(phases, waiting, bundle_for(waiting["wait"]["question"]), "origin")
        assert "inputs" not in plan
        slate = json.loads(phases.finish(waiting["handle"], b""))
        assert len(slate["items"]) == 6
        assert phases.edge.counters.scorers == {"linear": 1}


def test_scores_that_are_too_few_or_not_finite_are_not_used() -> None:
    phases = Phases(manifest())
    waiting = begin(phases)
    plan = resume(phases, waiting, bundle_for(waiting["wait"]["question"]), "origin")
    for scores in (b"", bytes(4), b"\x00\x00\xc0\x7f" * plan["candidates"]):
        phases.finish(waiting["handle"], scores)
    assert phases.edge.counters.scorers == {"linear": 3}


def test_bytes_that_are_no_bundle_count_as_none() -> None:
    phases = Phases(manifest())
    waiting = begin(phases)
    good = bundle_for(waiting["wait"]["question"])
    broken = [
        b"\xc1",
        good[:-1],
        b"\x80",
        bundle_for(waiting["wait"]["question"], user_id="u2"),
        bundle_for(waiting["wait"]["question"], consent="none"),
        bundle_for(waiting["wait"]["question"], surface="detail"),
        bundle_for(waiting["wait"]["question"], schema=99),
        bundle_for(waiting["wait"]["question"], feature_names=["a", "b", "c", "d"]),
    ]
    for payload in broken:
        resume(phases, waiting, payload, "origin")
        slate = json.loads(phases.finish(waiting["handle"], b""))
        assert slate["items"] == []
        assert slate["degraded"] == "static"
    assert phases.edge.counters.errors["bundle"] == len(broken)


def test_a_policy_that_cannot_be_read_leaves_the_one_in_force() -> None:
    phases = Phases(manifest())
    policy = pack_policy(random_policy(random.Random(5)))
    phases.offer_policy(bytes(msgpack.packb(policy)), '"5"', NOW_MS)
    phases.offer_policy(b"nonsense", '"6"', NOW_MS)
    phases.offer_policy(bytes(msgpack.packb(policy | {"schema": 99})), '"7"', NOW_MS)
    assert phases.edge.policies.policy.version == policy["version"]
    assert phases.edge.policies.etag == '"5"'
    assert phases.edge.counters.errors["policy"] == 2


def test_after_a_failure_nobody_waits_until_the_pause_is_over() -> None:
    phases = Phases(manifest())
    for late in range(LATE_MAX):
        waiting = begin(phases, user_id=f"late-{late}")
        assert waiting["wait"]["deadline_ms"] > 0
        resume(phases, waiting, b"", "late")
    assert begin(phases, user_id="u2")["wait"]["deadline_ms"] == 0
    assert begin(phases, NOW_MS + PAUSE_MS, user_id="u3")["wait"]["deadline_ms"] > 0


def test_a_request_waits_shorter_when_something_else_can_be_shown() -> None:
    phases = Phases(manifest())
    empty = begin(phases)
    popular = empty["behind"][0]
    outcome = phases.offer_bundle(popular["key"], bundle_for(popular["question"]), "origin", NOW_MS)
    assert msgpack.unpackb(outcome)["static"]["surface"] == "home"
    spare = begin(phases, user_id="u2")
    assert spare["wait"]["deadline_ms"] < empty["wait"]["deadline_ms"]


def test_a_request_with_nothing_to_fall_back_on_names_the_bundles_that_others_share() -> None:
    phases = Phases(manifest())
    waiting = begin(phases)["wait"]
    assert len(waiting["spares"]) == 2
    assert waiting["spare_deadline_ms"] < waiting["deadline_ms"]
    popular = waiting["spares"][1]
    question = begin(phases, user_id="u2", consent="none")["wait"]
    assert question["key"] == popular
    phases.offer_bundle(popular, bundle_for(question["question"]), "cache", NOW_MS)
    assert begin(phases, user_id="u3")["wait"]["spares"] == []


def test_the_last_known_good_answer_holds_nothing_of_a_user() -> None:
    phases = Phases(manifest())
    popular = begin(phases)["behind"][0]
    asked = read_bundle_request(msgpack.unpackb(popular["question"]))
    assert asked.consent is Consent.NONE
    outcome = phases.offer_bundle(popular["key"], bundle_for(popular["question"]), "origin", NOW_MS)
    answer = json.loads(msgpack.unpackb(outcome)["static"]["body"])
    assert answer["degraded"] == "static"
    assert answer["consent"] == "none"
    assert len(answer["items"]) == 12


def test_requests_that_are_never_dropped_do_not_pile_up() -> None:
    phases = Phases(manifest())
    for _ in range(FLIGHTS_MAX + 5):
        begin(phases, consent="none", user_id=None)
    assert json.loads(phases.status())["flights"] == FLIGHTS_MAX


def test_a_bundle_that_nobody_asked_for_is_not_taken() -> None:
    phases = Phases(manifest())
    plan = begin(phases)
    payload = bundle_for(plan["wait"]["question"])
    assert (
        msgpack.unpackb(phases.offer_bundle("another key", payload, "origin", NOW_MS))["keep_ms"]
        == 0
    )
