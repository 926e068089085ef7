"""What the edge hands in behind its answers, and the model that it fetches."""

import hashlib
import json
from array import array

import pytest

from attune.consent import Consent
from attune.context import Context
from attune.contract.edge_report import LATENCY_BOUNDS_MS, EdgeReport, pack_edge_report
from attune.contract.served import (
    ServedItem,
    ServedSlate,
    pack_served_batch,
    read_served_slate,
)
from origin.event_log import IMPRESSIONS, open_event_log
from origin.packing import packed, unpacked
from origin.settings import Settings
from tests.integration.origin.conftest import TestClient

MSGPACK = {"content-type": "application/msgpack"}


def served(slate_id: str, user_id: str | None) -> ServedSlate:
    return ServedSlate(
        slate_id=slate_id,
        user_id=user_id,
        session_id="session-1",
        consent=Consent.COHORT if user_id is None else Consent.FULL,
        surface="home",
        context=Context(device="mobile"),
        served_at_ms=1_700_000_000_000,
        bundle_version="b1",
        policy_version=7,
        model_version="m1",
        context_version=1,
        degraded="full",
        epsilon=0.1,
        seed=5,
        candidates=60,
        exploration_rate=0.09,
        feature_names=("age",),
        items=(ServedItem("i1", 0, 0.75, 0.5, False, array("f", (1.5,))),),
    )


async def test_served_slates_reach_the_log_one_record_each(
    client: TestClient, postgres_url: str
) -> None:
    slates = [served("s1", "u1"), served("s2", None), served("s3", "u1")]
    answer = client.post("/v1/slates", content=packed(pack_served_batch(slates)), headers=MSGPACK)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 3})
    async with await open_event_log(postgres_url, None) as log:
        member = await log.join(IMPRESSIONS, "test")
        positions = dict.fromkeys(await member.assignment(), 0)
        records = await member.read(positions, 100, 1_000)
        await member.leave()
    assert sorted(record.key for record in records) == [b"session-1", b"u1", b"u1"]
    kept = [read_served_slate(unpacked(record.value)) for record in records]
    assert sorted(kept, key=lambda slate: slate.slate_id) == slates


@pytest.mark.parametrize("slates", [[], [{"slate_id": "s"}], "none", [7]])
def test_a_wrong_batch_of_slates_is_refused(client: TestClient, slates: object) -> None:
    answer = client.post("/v1/slates", content=packed({"slates": slates}), headers=MSGPACK)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"].startswith("slates")


def report(counters: dict[str, dict[str, int]], fastest: int = 0) -> bytes:
    counts = [fastest, *(0 for _ in LATENCY_BOUNDS_MS)]
    return packed(pack_edge_report(EdgeReport(counters, counts, 3 * fastest)))


def test_reports_of_edges_add_up_in_the_metrics(client: TestClient) -> None:
    for _ in range(2):
        body = report({"tiers": {"memory": 5}, "rungs": {"full": 4}}, fastest=7)
        assert client.post("/v1/edge/metrics", content=body, headers=MSGPACK).status_code == 204
    text = client.get("/metrics").text
    assert 'attune_edge_tiers_total{name="memory"} 10.0' in text
    assert 'attune_edge_answer_seconds_bucket{le="0.001"} 14.0' in text
    assert "attune_edge_answer_seconds_sum 0.042" in text


def test_no_report_makes_more_labels_than_allowed(client: TestClient) -> None:
    for batch in range(5):
        names = {f"error_{batch}_{n}": 1 for n in range(30)}
        body = report({"errors": names})
        assert client.post("/v1/edge/metrics", content=body, headers=MSGPACK).status_code == 204
    lines = client.get("/metrics").text.splitlines()
    assert len([line for line in lines if line.startswith("attune_edge_errors_total{")]) <= 33
    too_many = report({"errors": {f"e{n}": 1 for n in range(33)}})
    for body in (too_many, report({"errors": {"u1@example.com": 1}}), packed({"counters": [1]})):
        assert client.post("/v1/edge/metrics", content=body, headers=MSGPACK).status_code == 400


def test_the_edge_scorer_is_handed_out_by_manifest_and_hash(client: TestClient) -> None:
    answer = client.get("/v1/models/edge_scorer")
    tag = {"if-none-match": answer.headers["etag"]}
    assert client.get("/v1/models/edge_scorer", headers=tag).status_code == 304
    manifest = json.loads(answer.content)
    graph = client.get(f"/v1/models/edge_scorer/{manifest['sha256']}.onnx")
    assert hashlib.sha256(graph.content).hexdigest() == manifest["sha256"]
    assert "immutable" in graph.headers["cache-control"]
    assert client.get(f"/v1/models/edge_scorer/{'0' * 64}.onnx").status_code == 404


def test_a_pair_that_does_not_fit_is_not_handed_out(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from origin.served_model import ServedModels

    folder = tmp_path_factory.mktemp("models")
    models = ServedModels(folder)
    assert models.current() is None
    for name in ("edge_scorer.onnx", "edge_scorer.json"):
        (folder / name).write_bytes((settings.models / name).read_bytes())
    good = models.current()
    assert good is not None
    (folder / "edge_scorer.onnx").write_bytes(b"half a graph")
    assert models.current() == good
