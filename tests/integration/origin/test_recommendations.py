"""Slates and bundles from a real origin."""

import time
from collections.abc import Mapping
from typing import Any

import msgpack
import numpy as np
import pytest
from starlette.testclient import TestClient

from attune.contract.bundle import Bundle, read_bundle
from tests.integration.origin.conftest import unit_vectors

NONE = {"consent": "none", "session_id": "s", "n": 10}
COHORT = NONE | {"consent": "cohort"}
FULL = NONE | {"consent": "full", "user_id": "known"}


def slate(client: TestClient, body: Mapping[str, object], **headers: str) -> dict[str, Any]:
    answer = client.post("/v1/recommendations", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def bundle(client: TestClient, **body: object) -> Bundle:
    asked = {"consent": "none", "surface": "home", "candidates_max": 60} | body
    answer = client.post("/v1/bundle", content=msgpack.packb(asked))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/msgpack"
    return read_bundle(msgpack.unpackb(answer.content))


def ids(answer: Mapping[str, Any]) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


@pytest.mark.parametrize("body", [NONE, COHORT, FULL, FULL | {"user_id": "stranger"}])
def test_everyone_gets_a_full_slate_with_propensities(
    client: TestClient, body: dict[str, object]
) -> None:
    answer = slate(client, body)
    assert len(set(ids(answer))) == 10
    assert answer["degraded"] == "full"
    assert [item["position"] for item in answer["items"]] == list(range(10))
    assert all(0 < item["propensity"] <= 1 for item in answer["items"])
    assert all(item["title"].startswith("Item") for item in answer["items"])


def test_stages_and_their_times_are_in_the_header(client: TestClient) -> None:
    answer = client.post("/v1/recommendations", json=FULL)
    stages = {part.split(";")[0].strip() for part in answer.headers["server-timing"].split(",")}
    assert {"user", "for_you", "together", "trending", "new", "ranking", "bundle"} <= stages


def test_a_known_user_gets_candidates_like_his_embedding(client: TestClient) -> None:
    made = bundle(client, consent="full", user_id="known")
    vectors = unit_vectors(120)
    cosines = np.array(vectors) @ vectors[50]
    nearest = {f"item-{n:03}" for n in np.argsort(-cosines)[1:10]}
    for_you = {
        item_id
        for item_id, source in zip(made.candidates.item_ids, made.candidates.sources, strict=True)
        if source == "for_you"
    }
    assert nearest <= for_you
    assert (made.user_id, made.user_interactions) == ("known", 9)
    # Embeddings of users are stored in steps of 2**-15.
    assert np.allclose(made.user_embedding, vectors[50], atol=2**-15)


def test_seen_items_are_hidden(client: TestClient) -> None:
    assert "item-050" not in bundle(client, consent="full", user_id="known").candidates.item_ids


@pytest.mark.parametrize("consent", ["cohort", "none"])
def test_without_full_consent_nothing_keyed_by_the_user_is_used(
    client: TestClient, consent: str
) -> None:
    made = bundle(client, consent=consent, user_id="known")
    assert made.user_id is None
    assert not any(made.user_embedding)
    assert made.user_interactions == 0
    assert "for_you" not in made.candidates.sources


def test_global_privacy_control_caps_full_consent_at_cohort(client: TestClient) -> None:
    answer = slate(client, FULL, **{"Sec-GPC": "1"})
    assert answer["consent"] == "cohort"


RECENT = [{"item_id": "item-005", "action": "click", "occurred_at_ms": int(time.time() * 1000)}]


def test_the_sessions_last_click_brings_its_companions(client: TestClient) -> None:
    made = bundle(client, consent="cohort", recent=RECENT)
    sources = dict(zip(made.candidates.item_ids, made.candidates.sources, strict=True))
    assert sources["item-090"] in {"for_you", "session", "together"}
    assert {"for_you", "session"} & set(sources.values())
    assert "item-005" not in sources
    assert made.recents.item_ids == ("item-005",)


def test_without_consent_the_session_changes_nothing(client: TestClient) -> None:
    with_recent = bundle(client, consent="none", recent=RECENT)
    assert "item-090" not in with_recent.candidates.item_ids
    assert with_recent.recents.item_ids == ()


def test_a_bundle_is_sorted_bounded_and_packed_with_features(client: TestClient) -> None:
    made = bundle(client, candidates_max=25)
    assert len(made.candidates) == 25
    scores = list(made.candidates.base_scores)
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert len(made.candidates.features) == 25 * len(made.candidates.feature_names)
    assert np.isfinite(made.candidates.features).all()
    assert all(alpha > 0 for alpha in made.candidates.alpha)


def test_excluded_items_do_not_come(client: TestClient) -> None:
    first = slate(client, NONE)
    again = slate(client, NONE | {"exclude": ids(first)})
    assert not set(ids(first)) & set(ids(again))
