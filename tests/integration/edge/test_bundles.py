"""How the edge comes by candidate bundles, and what it answers when it cannot."""

import random
import time

import httpx
import pytest

from attune.consent import Consent
from attune.context import Context
from edge_worker.bundle_cache import BYTES_MAX
from edge_worker.origin_health import PROBE_MS
from tests.integration.edge.conftest import Stand


def test_the_second_answer_does_not_wait_for_the_origin(stand: Stand) -> None:
    first, second = stand.slate(), stand.slate()
    assert len(first["items"]) == len(second["items"]) == 6
    assert first["degraded"] == second["degraded"] == "full"
    assert first["slate_id"] != second["slate_id"]
    assert stand.status()["tiers"] == {"origin": 1, "memory": 1}
    asked = [question.user_id for question in stand.origin.questions]
    assert asked.count("u1") == 1


def test_the_scorer_ranks_once_it_has_loaded(stand: Stand) -> None:
    for _ in range(3):
        stand.slate()
    stand.wait_until(lambda: bool(stand.slate()) and "model" in stand.status()["scorers"])


def test_each_answer_says_how_long_its_stages_took(stand: Stand) -> None:
    body = {"consent": "none", "session_id": "s1"}
    timing = stand.client.post("/v1/recommendations", json=body).headers["Server-Timing"]
    for stage in ("cache", "origin", "prepare", "score", "decide"):
        assert f"{stage};dur=" in timing


def test_a_stale_bundle_is_served_and_renewed_behind_the_answer(stand: Stand) -> None:
    stand.origin.age_ms = 60_000
    stand.slate()
    assert stand.slate()["degraded"] == "stale"
    stand.origin.age_ms = 0
    stand.wait_until(lambda: stand.slate()["degraded"] == "full")


def test_a_click_renews_the_user_s_bundle(stand: Stand) -> None:
    item_id = stand.slate()["items"][0]["item_id"]
    time.sleep(0.3)
    now_ms = int(time.time() * 1000)
    click = {"item_id": item_id, "action": "click", "occurred_at_ms": now_ms}
    after = stand.slate(recent=[click])
    assert after["session_shift"] > 0.0
    assert item_id not in [item["item_id"] for item in after["items"]]
    own = [question for question in stand.origin.questions if question.user_id == "u1"]
    stand.wait_until(lambda: stand.origin.questions[-1].recent != ())
    assert own[0].recent == ()


def test_without_an_own_bundle_and_without_origin_the_popular_one_answers(stand: Stand) -> None:
    stand.slate(consent="none", user_id=None)
    stand.origin.status = 500
    answer = stand.slate(user_id="u2")
    assert answer["degraded"] == "popular"
    assert len(answer["items"]) == 6


def test_a_slow_origin_costs_a_request_its_deadline_and_no_more(stand: Stand) -> None:
    stand.slate(consent="none", user_id=None)
    stand.origin.delay_s = 2.0
    started = time.monotonic()
    assert stand.slate(user_id="u2")["degraded"] == "popular"
    assert time.monotonic() - started < 1.5
    # The fetch went on behind the answer.
    stand.wait_until(lambda: stand.slate(user_id="u2")["degraded"] == "full")


def test_a_dead_origin_is_not_waited_for_again_and_again(stand: Stand) -> None:
    stand.slate(consent="none", user_id=None)
    stand.origin.status = 503
    stand.slate(user_id="u2")
    bundles, started = stand.origin.requests["/v1/bundle"], time.monotonic()
    for visitor in range(40):
        assert stand.slate(user_id=f"visitor-{visitor}", n=3)["degraded"] == "popular"
    probes = 1 + (time.monotonic() - started) * 1000 / PROBE_MS
    assert stand.origin.requests["/v1/bundle"] - bundles <= probes + 1


def test_a_bundle_that_the_origin_does_not_have_is_not_asked_for_again(stand: Stand) -> None:
    stand.slate(consent="none", user_id=None)
    stand.origin.status = 404
    for _ in range(10):
        assert stand.slate(user_id="u2")["degraded"] == "popular"
    asked = stand.origin.requests["/v1/bundle"]
    stand.origin.status = 200
    assert stand.slate(user_id="u2")["degraded"] == "popular"
    assert stand.origin.requests["/v1/bundle"] == asked
    assert stand.slate(user_id="u3")["degraded"] == "full"


def test_an_edge_that_never_saw_a_bundle_answers_without_items_and_without_error(
    stand: Stand,
) -> None:
    stand.origin.status = 500
    answer = stand.slate()
    assert answer["items"] == []
    assert answer["degraded"] == "static"
    stand.origin.status = 200
    stand.wait_until(lambda: len(stand.slate()["items"]) == 6)


def test_concurrent_requests_for_one_bundle_share_one_fetch(stand: Stand) -> None:
    from concurrent.futures import ThreadPoolExecutor

    stand.origin.delay_s = 0.2
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: stand.slate(user_id="u9"), range(8)))
    assert {answer["degraded"] for answer in answers} == {"full"}
    asked = [question.user_id for question in stand.origin.questions]
    assert asked.count("u9") == 1


def test_a_visitor_who_leaves_does_not_strand_those_who_wait_for_the_same_bundle(
    stand: Stand,
) -> None:
    stand.slate(consent="none", user_id=None)
    stand.origin.delay_s = 0.6
    body = {"consent": "full", "user_id": "u9", "session_id": "s1"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{stand.client.base_url}/v1/recommendations", json=body, timeout=0.15)
    stand.wait_until(lambda: stand.slate(user_id="u9")["degraded"] == "full")
    asked = [question.user_id for question in stand.origin.questions]
    assert asked.count("u9") == 1


def test_under_concurrency_nobody_is_shown_what_was_made_for_another(stand: Stand) -> None:
    from concurrent.futures import ThreadPoolExecutor

    stand.origin.cards_name_their_owner = True
    stand.origin.fresh_ms = 20
    dice = random.Random(11)
    asked = [(f"u{dice.randrange(6)}", dice.choice(("full", "cohort", "none"))) for _ in range(150)]

    def shown(request: tuple[str, str]) -> set[str]:
        user_id, consent = request
        answer = stand.slate(user_id=user_id, consent=consent)
        assert answer["items"]
        return {item["title"] for item in answer["items"]}

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(shown, asked))
    own = 0
    for (user_id, consent), titles in zip(asked, answers, strict=True):
        allowed = {"none/-"} if consent == "none" else {"none/-", "cohort/-"}
        assert titles <= allowed | ({f"full/{user_id}"} if consent == "full" else set())
        own += titles == {f"full/{user_id}"}
    assert own > 20


def test_the_bundle_for_everyone_holds_nobody_s_context(stand: Stand) -> None:
    stand.slate(consent="none", user_id=None, context={"device": "mobile", "region": "DE"})
    stand.slate(user_id="u2", surface="detail", context={"device": "tablet"})
    shared = [asked for asked in stand.origin.questions if asked.consent is Consent.NONE]
    assert {asked.surface for asked in shared} == {"home", "detail"}
    assert {asked.context for asked in shared} == {Context()}


def test_a_bundle_of_somebody_else_is_refused(stand: Stand) -> None:
    stand.slate(consent="none", user_id=None)
    stand.origin.foreign_user = True
    assert stand.slate(user_id="u2")["degraded"] == "popular"
    assert stand.status()["errors"]["bundle"] >= 1


def test_without_full_consent_no_question_names_a_user(stand: Stand) -> None:
    recent = [{"item_id": "item-001", "action": "click", "occurred_at_ms": 1}]
    assert stand.slate(consent="cohort", recent=recent)["consent"] == "cohort"
    assert stand.slate(consent="none", recent=recent)["consent"] == "none"
    capped = stand.slate(headers={"Sec-GPC": "1"}, consent="full", recent=recent)
    assert capped["consent"] == "cohort"
    assert stand.origin.questions
    for question in stand.origin.questions:
        assert question.user_id is None
        assert question.recent == ()
        assert question.consent is not Consent.FULL


def test_the_policy_is_asked_for_once_in_a_while_and_not_sent_again(stand: Stand) -> None:
    started = time.monotonic()
    for _ in range(10):
        stand.slate()
    stand.wait_until(lambda: stand.status()["policy_version"] > 0)
    seconds = time.monotonic() - started
    assert 1 <= stand.origin.requests["/v1/policy"] <= 1 + seconds / 3
    assert stand.slate()["versions"]["policy"] == stand.status()["policy_version"]


def test_a_bundle_that_left_the_memory_comes_from_the_cache_not_the_origin(stand: Stand) -> None:
    stand.origin.fresh_ms, stand.origin.candidates = 600_000, 180
    stand.slate(user_id="first")
    visitors = 0
    while stand.status()["bundles"] > visitors:
        visitors += 10
        for visitor in range(visitors - 10, visitors):
            stand.slate(user_id=f"visitor-{visitor}", n=1)
    assert stand.slate(user_id="first")["degraded"] == "full"
    assert stand.status()["tiers"]["cache"] == 1
    asked = [question.user_id for question in stand.origin.questions]
    assert asked.count("first") == 1
    assert stand.status()["bundle_bytes"] <= BYTES_MAX
