"""What the edge does behind its answers, and what it answers when nothing is left in front."""

import hashlib
import json
import random
import re
from pathlib import Path
from typing import Any

import httpx
import msgpack
from click.testing import CliRunner

from attune.consent import Consent
from attune.context import Context
from attune.contract.bundle import BundleRequest, pack_bundle, read_bundle
from attune.features import EDGE_FEATURES
from origin.commands import main
from origin.edge_server import CONFIG, ROOT, running_edge
from tests.integration.edge.conftest import Stand, free_port
from tests.integration.edge.stand_in_origin import stand_in_origin
from tests.parity.states import NOW_MS, random_bundle

MODELS = ROOT / "models/onnx"


def test_served_slates_are_recorded_as_far_as_consent_allows(stand: Stand) -> None:
    shown = stand.slate()
    cohort = stand.slate(consent="cohort", user_id=None, session_id="s2")
    stand.slate(consent="none", user_id=None)
    stand.wait_until(lambda: bool(stand.slate()) and len(stand.origin.slates) >= 2)
    first, second = stand.origin.slates[:2]
    assert (first.slate_id, first.user_id, first.session_id) == (shown["slate_id"], "u1", "s1")
    assert (second.slate_id, second.user_id, second.session_id) == (cohort["slate_id"], None, "s2")
    assert {slate.consent for slate in stand.origin.slates} <= {Consent.FULL, Consent.COHORT}
    assert [item.item_id for item in first.items] == [item["item_id"] for item in shown["items"]]
    assert [round(item.propensity, 6) for item in first.items] == [
        item["propensity"] for item in shown["items"]
    ]
    assert first.seed == shown["seed"]
    assert first.policy_version == shown["versions"]["policy"]
    assert first.candidates > len(first.items)
    assert first.feature_names == EDGE_FEATURES


def test_slates_that_the_origin_does_not_take_are_sent_again(stand: Stand) -> None:
    shown = stand.slate()
    stand.origin.status = 503
    stand.wait_until(lambda: bool(stand.slate()) and stand.origin.requests["/v1/slates"] > 0)
    stand.origin.status = 200
    stand.wait_until(lambda: bool(stand.slate()) and bool(stand.origin.slates), deadline_s=9.0)
    assert shown["slate_id"] in {slate.slate_id for slate in stand.origin.slates}
    assert stand.status()["slates"]["sent_back"] > 0


def test_what_was_counted_is_reported_once(stand: Stand) -> None:
    for _ in range(5):
        stand.slate()
    stand.wait_until(lambda: bool(stand.slate()) and bool(stand.origin.reports))
    report = stand.origin.reports[0]
    assert report.counters["tiers"]["memory"] >= 4
    assert sum(report.latency_counts) == sum(report.counters["tiers"].values())
    assert report.counters["exploration"]["positions"] > 0


def other_model(**changes: Any) -> tuple[bytes, bytes]:
    """Return manifest and graph of a model that scores as the shipped one but is another."""
    # Field 6 of an ONNX model is its description: appended, it is still the same graph.
    graph = (MODELS / "edge_scorer.onnx").read_bytes() + b"\x32\x05other"
    manifest = json.loads((MODELS / "edge_scorer.json").read_bytes())
    sha256 = hashlib.sha256(graph).hexdigest()
    return json.dumps(manifest | {"version": "other", "sha256": sha256} | changes).encode(), graph


def test_a_newer_model_takes_over_without_a_redeploy(stand: Stand) -> None:
    stand.origin.manifest, stand.origin.graph = other_model()
    assert stand.slate()["items"]
    stand.wait_until(lambda: stand.status()["model_version"] == "other")
    stand.wait_until(lambda: len(stand.slate()["items"]) == 6 and scored_by_model(stand))
    assert stand.status()["models"] == {"adopted": 1}


def scored_by_model(stand: Stand) -> bool:
    before = stand.status()["scorers"].get("model", 0)
    stand.slate()
    return stand.status()["scorers"].get("model", 0) > before


def test_a_model_that_cannot_be_fed_is_refused_and_the_last_good_one_stays(stand: Stand) -> None:
    stand.origin.manifest, stand.origin.graph = other_model(context_version=99)
    before = stand.status()
    stand.slate()
    stand.wait_until(lambda: stand.status().get("models") == {"refused": 1})
    status = stand.status()
    assert status["model_refused"] == "other"
    assert status["model_version"] != "other"
    assert before.get("model_version") in (None, status["model_version"])
    stand.wait_until(lambda: scored_by_model(stand))


def test_a_graph_that_is_not_what_its_manifest_says_is_not_loaded(stand: Stand) -> None:
    stand.origin.manifest, _ = other_model()
    stand.origin.graph = b"half a graph"
    stand.slate()
    stand.wait_until(lambda: stand.status().get("models") == {"failed": 1})
    assert stand.status()["model_version"] != "other"
    assert len(stand.slate()["items"]) == 6


def test_a_click_counts_here_before_the_next_snapshot_has_it(stand: Stand) -> None:
    stand.slate()
    stand.wait_until(lambda: stand.status()["policy_version"] > 0)
    shown = stand.slate()
    click = {
        "event_id": "e1",
        "type": "click",
        "consent": "full",
        "user_id": "u1",
        "session_id": "s1",
        "item_id": shown["items"][0]["item_id"],
        "slate_id": shown["slate_id"],
        "occurred_at_ms": NOW_MS,
    }
    for _ in range(2):  # sent again, it counts once
        assert stand.client.post("/v1/events", json={"events": [click]}).status_code == 202
    assert stand.status()["rewards_pending"] == 1


def deployed_with(folder: Path, known_good: bytes) -> Path:
    """Return the configuration of workers that carry these bundles."""
    (folder / "python").mkdir()
    for path in (CONFIG.parent / "python").iterdir():
        (folder / "python" / path.name).symlink_to(path)
    (folder / "python/known_good.msgpack").unlink()
    (folder / "python/known_good.msgpack").write_bytes(known_good)
    for part in ("scorer", "local"):
        (folder / part).symlink_to(CONFIG.parent / part)
    config = folder / "workerd.capnp"
    config.write_text(re.sub(r"\.\./\.\./web", str(ROOT / "web"), CONFIG.read_text()))
    return config


def test_the_bundles_of_a_deployment_are_fetched_from_the_origin(tmp_path: Path) -> None:
    output = tmp_path / "known_good.msgpack"
    with stand_in_origin() as (url, origin):
        arguments = ["known-good", "--origin-url", url, "--output", str(output), "--json"]
        done = CliRunner().invoke(main, [*arguments, "--surface", "home", "--surface", "cart"])
        assert done.exit_code == 0, done.output
        kept = msgpack.unpackb(output.read_bytes())
        surfaces = [read_bundle(msgpack.unpackb(each)).surface for each in kept["bundles"]]
        assert surfaces == ["home", "cart"]
        assert len(json.loads(kept["answers"]["cart"])["items"]) == 12
        origin.status = 500
        assert "has no bundle" in CliRunner().invoke(main, arguments).output


def test_with_the_origin_dead_from_the_start_a_deployment_s_own_bundles_answer(
    tmp_path: Path,
) -> None:
    question = BundleRequest(Consent.NONE, None, "home", Context(), 60)
    bundle = msgpack.packb(pack_bundle(random_bundle(question, random.Random(1), 0)))
    known_good = msgpack.packb({"bundles": [bundle, b"broken"], "answers": {}})
    config = deployed_with(tmp_path, known_good)
    with (
        running_edge("http://127.0.0.1:9", free_port(), config=config) as edge,
        httpx.Client(base_url=edge.url, timeout=20.0) as client,
    ):
        stand = Stand(client, None)  # type: ignore[arg-type]
        for surface in ("home", "cart"):
            for user in ("u1", "u2"):
                answer = stand.slate(user_id=user, surface=surface, exclude=["item-001"])
                assert answer["degraded"] == "static"
                assert len(answer["items"]) == 6
                assert "item-001" not in {item["item_id"] for item in answer["items"]}
        assert stand.status()["errors"]["known_good"] == 1
