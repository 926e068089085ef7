"""The catalogue, the policy and the rest of the API of a real origin."""

import io
import json

import msgpack
from PIL import Image
from starlette.testclient import TestClient

from attune.contract.bundle import SOURCES
from attune.contract.policy import read_policy
from origin.http.openapi_schemas import SCHEMAS
from origin.http.routes import ENDPOINTS


def test_an_item_lives_from_put_to_delete(client: TestClient) -> None:
    item = {"title": "Lamp", "category": "Lighting", "price": 49.0, "attributes": {"led": True}}
    assert client.put("/v1/items/lamp", json=item).status_code == 201
    assert client.put("/v1/items/lamp", json=item | {"price": 39.0}).status_code == 200
    shown = client.get("/v1/items/lamp").json()
    assert (shown["title"], shown["price"], shown["attributes"]) == ("Lamp", 39.0, {"led": True})
    assert client.delete("/v1/items/lamp").status_code == 204
    assert client.get("/v1/items/lamp").status_code == 404
    assert client.delete("/v1/items/lamp").status_code == 404


def test_an_id_that_differs_from_the_address_is_refused(client: TestClient) -> None:
    answer = client.put("/v1/items/a", json={"item_id": "b", "title": "B"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "item_id")


def test_pages_cover_the_catalogue_once(client: TestClient) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = client.get("/v1/items", params={"after": after, "limit": 50}).json()
        seen += [item["item_id"] for item in page["items"]]
        after = page["after"]
    assert len(seen) == len(set(seen)) >= 120
    assert seen == sorted(seen)


def test_good_lines_are_kept_and_bad_ones_listed(client: TestClient) -> None:
    lines = [
        '{"item_id": "bulk-1", "title": "One"}',
        "{nonsense",
        "",
        '{"item_id": "bulk-2", "title": "Two", "colour": "red"}',
        '{"item_id": "bulk-3", "title": "Three"}',
    ]
    answer = client.post("/v1/items", content="\n".join(lines))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["created"]) == (2, 2)
    assert [(r["line"], r["field"]) for r in body["rejected"]] == [(2, ""), (4, "colour")]
    assert client.get("/v1/items/bulk-3").status_code == 200


def test_ten_thousand_items_are_taken_and_one_more_is_refused_whole(client: TestClient) -> None:
    # Withdrawn ones, which stay out of the index: building it is not what this is about.
    item = {"title": "x", "available": False}
    lines = [json.dumps(item | {"item_id": f"many-{n}"}) for n in range(10_001)]
    refused = client.post("/v1/items", content="\n".join(lines))
    assert refused.status_code == 413
    assert client.get("/v1/items/many-0").status_code == 404
    taken = client.post("/v1/items", content="\n".join(lines[1:]))
    assert (taken.status_code, taken.json()["accepted"]) == (200, 10_000)


def test_only_bad_lines_are_a_422(client: TestClient) -> None:
    assert client.post("/v1/items", content="{}\n[]").status_code == 422
    assert client.post("/v1/items", content="\n\n").status_code == 400


def test_similar_items_leave_the_item_itself_out(client: TestClient) -> None:
    found = client.get("/v1/items/item-007/similar", params={"n": 5}).json()["items"]
    assert len(found) == 5
    assert "item-007" not in [item["item_id"] for item in found]
    scores = [item["score"] for item in found]
    assert scores == sorted(scores, reverse=True)


def test_trending_counts_clicks_of_the_last_day(client: TestClient) -> None:
    found = client.get("/v1/trending", params={"n": 3}).json()["items"]
    assert [item["item_id"] for item in found] == ["item-000", "item-001", "item-002"]
    assert 0.9 < found[0]["score"] <= 1.0
    found = client.get("/v1/trending", params={"category": "category-3"}).json()["items"]
    assert {item["category"] for item in found} == {"category-3"}


def test_the_policy_is_sent_once_per_version(client: TestClient) -> None:
    first = client.get("/v1/policy")
    policy = read_policy(msgpack.unpackb(first.content))
    assert first.headers["etag"] == f'"{policy.version}"'
    again = client.get("/v1/policy", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/v1/policy", headers={"if-none-match": '"1", W/"2"'})
    assert other.status_code == 200


def test_pictures_are_drawn_and_kept(client: TestClient) -> None:
    first = client.get("/v1/media/item-003.webp")
    assert first.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(first.content)).size[0] > 100
    assert client.get("/v1/media/item-003.webp").content == first.content
    clip = Image.open(io.BytesIO(client.get("/v1/media/item-003.clip.webp").content))
    assert getattr(clip, "n_frames", 1) > 1
    assert client.get("/v1/media/nothing.webp").status_code == 404


def test_health_readiness_metrics_and_overview_answer(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["checks"] == {"store": True, "event_log": True}
    client.get("/v1/items/item-001")
    text = client.get("/metrics").text
    assert 'attune_requests_total{route="/v1/items/{item_id}",status="200"}' in text
    epsilon = next(line for line in text.splitlines() if line.startswith("attune_epsilon "))
    assert 0 < float(epsilon.split()[1]) < 1
    overview = client.get("/v1/ops/overview").json()
    assert overview["items"] >= 120
    assert set(overview) == set(properties("Overview"))


def test_the_description_names_every_route(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    for endpoint in ENDPOINTS:
        operation = described["paths"][endpoint.path][endpoint.method.lower()]
        assert operation["summary"] == endpoint.summary
        assert set(operation["responses"]) == {str(status) for status in endpoint.answers}
    named = set(json.dumps(described).split('"#/components/schemas/')[1:])
    for reference in named:
        assert reference.split('"')[0] in described["components"]["schemas"]


def test_the_description_tells_the_truth_about_bodies(client: TestClient) -> None:
    slate = client.post(
        "/v1/recommendations", json={"consent": "none", "session_id": "s", "n": 1}
    ).json()
    assert set(slate) == set(properties("Slate"))
    assert set(slate["items"][0]) == set(properties("SlateItem"))
    assert set(client.get("/v1/items/item-001").json()) | {"schema"} == set(properties("ItemShown"))
    assert {"session", *SOURCES} - {"explore"} <= set(why())


def properties(name: str) -> dict[str, object]:
    found = SCHEMAS[name]["properties"]
    assert isinstance(found, dict)
    return found


def why() -> list[str]:
    schema = properties("SlateItem")["why"]
    assert isinstance(schema, dict)
    return schema["enum"]


def test_a_new_item_is_placed_by_its_words_and_moves_when_they_change(client: TestClient) -> None:
    for n, words in enumerate(("oak table lamp", "brass table lamp", "linen beach towel")):
        client.put(f"/v1/items/word-{n}", json={"title": words, "category": words.split()[2]})
    assert _nearest_word("word-1", client) == "word-0"
    client.put("/v1/items/word-1", json={"title": "wool beach towel", "category": "towel"})
    assert _nearest_word("word-1", client) == "word-2"


def _nearest_word(item_id: str, client: TestClient) -> str:
    found = client.get(f"/v1/items/{item_id}/similar", params={"n": 50}).json()["items"]
    return next(item["item_id"] for item in found if item["item_id"].startswith("word-"))
