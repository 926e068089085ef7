"""Who a request acts for, where the deployment has a secret and where it has none."""

import time
from collections.abc import Iterator

import httpx
import pytest

from attune.identity import COOKIE, Keys, read_cookie, signed_cookie, signed_token
from tests.integration.edge.conftest import Stand, running_stand
from tests.integration.edge.test_events import EVENT

SECRET = "the secret that the edge signs with, for tests"
OLD = "the secret that the edge signed with before it"
KEYS = Keys((SECRET,))
REQUEST = {"consent": "full", "session_id": "s1", "surface": "home", "n": 6}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Stand]:
    """Yield an edge that wants user ids proved."""
    secrets = {"ATTUNE_IDENTITY_SECRET": SECRET, "ATTUNE_IDENTITY_SECRET_PREVIOUS": OLD}
    with running_stand(**secrets) as stand:
        yield stand


def ask(
    stand: Stand,
    cookie: str = "",
    token: str = "",
    headers: dict[str, str] | None = None,
    **changes: object,
) -> httpx.Response:
    """Return the answer to a request with these credentials and no others."""
    sent = dict(headers or {})
    if cookie:
        sent["Cookie"] = f"theme=dark; {COOKIE}={cookie}"
    if token:
        sent["Authorization"] = f"Bearer {token}"
    stand.client.cookies.clear()
    return stand.client.post("/v1/recommendations", json={**REQUEST, **changes}, headers=sent)


def given(answer: httpx.Response) -> str:
    """Return the value of the cookie that an answer sets."""
    return answer.headers["Set-Cookie"].partition(";")[0].removeprefix(f"{COOKIE}=")


def test_a_new_visitor_is_given_a_cookie_that_is_then_believed(guarded: Stand) -> None:
    first = ask(guarded)
    assert first.status_code == 200
    rules = first.headers["Set-Cookie"].split("; ")[1:]
    assert rules == ["Path=/", "Max-Age=34128000", "HttpOnly", "SameSite=Lax"]
    read = read_cookie(KEYS, given(first), int(time.time()))
    assert read is not None
    assert guarded.origin.questions[-1].user_id in (read.user_id, None)
    again = ask(guarded, given(first))
    assert "Set-Cookie" not in again.headers
    assert read.user_id in {question.user_id for question in guarded.origin.questions}


def test_over_https_the_cookie_is_secure(guarded: Stand) -> None:
    answer = ask(guarded, headers={"X-Forwarded-Proto": "https"})
    assert answer.headers["Set-Cookie"].endswith("; Secure")


def test_a_forged_or_expired_cookie_is_a_fresh_anonymous_identity(guarded: Stand) -> None:
    now_s = int(time.time())
    worthless = [
        signed_cookie(Keys(("another secret of enough letters",)), "victim", now_s),
        signed_cookie(KEYS, "victim", now_s - 400 * 86_400),
        signed_cookie(Keys(), "victim", now_s),
        "nonsense",
        "x" * 6_000,
    ]
    for cookie in worthless:
        answer = ask(guarded, cookie)
        assert answer.status_code == 200
        read = read_cookie(KEYS, given(answer), now_s)
        assert read is not None
        assert len(read.user_id) == 22
    asked_for = {question.user_id for question in guarded.origin.questions}
    assert "victim" not in asked_for


def test_after_a_change_of_secret_visitors_stay_who_they_are(guarded: Stand) -> None:
    now_s = int(time.time())
    answer = ask(guarded, signed_cookie(Keys((OLD,)), "u-old", now_s - 60))
    read = read_cookie(KEYS, given(answer), now_s)
    assert read is not None
    assert (read.user_id, read.issued_s) == ("u-old", now_s - 60)


def test_a_token_of_the_customers_backend_is_believed(guarded: Stand) -> None:
    answer = ask(guarded, token=signed_token(KEYS, "customer-7", int(time.time()) + 60))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "customer-7" in {question.user_id for question in guarded.origin.questions}


def test_a_token_that_proves_nothing_is_refused(guarded: Stand) -> None:
    now_s = int(time.time())
    foreign = Keys((SECRET,), audience="another shop")
    tokens = [
        signed_token(Keys(("another secret of enough letters",)), "victim", now_s + 60),
        signed_token(KEYS, "victim", now_s - 60),
        signed_token(foreign, "victim", now_s + 60),
        "nonsense",
        "x" * 6_000,
    ]
    for token in tokens:
        answer = ask(guarded, token=token)
        assert answer.status_code == 401, answer.text
        assert answer.json()["error"]["field"] == "Authorization"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_body_that_names_somebody_else_is_refused(guarded: Stand) -> None:
    token = signed_token(KEYS, "u1", int(time.time()) + 60)
    assert ask(guarded, token=token, user_id="u1").status_code == 200
    refused = ask(guarded, token=token, user_id="u2")
    assert refused.status_code == 401
    assert refused.json()["error"]["field"] == "user_id"
    assert ask(guarded, user_id="u2").status_code == 401
    headers = {"Authorization": f"Bearer {token}"}
    events = {"events": [EVENT, {**EVENT, "user_id": "u2"}]}
    answer = guarded.client.post("/v1/events", json=events, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["field"] == "events[1].user_id"
    assert guarded.origin.events == []


def test_events_are_put_down_to_the_visitor_of_the_cookie(guarded: Stand) -> None:
    cookie = signed_cookie(KEYS, "visitor-9", int(time.time()))
    nameless = {name: value for name, value in EVENT.items() if name != "user_id"}
    crowd = {**nameless, "event_id": "e2", "consent": "cohort"}
    guarded.client.cookies.clear()
    answer = guarded.client.post(
        "/v1/events",
        json={"events": [nameless, crowd]},
        headers={"Cookie": f"{COOKIE}={cookie}"},
    )
    assert answer.status_code == 202
    assert [event["user_id"] for event in guarded.origin.events[-2:]] == ["visitor-9", None]


@pytest.mark.parametrize("consent", ["none", "cohort"])
def test_without_full_consent_there_is_no_cookie(guarded: Stand, consent: str) -> None:
    assert "Set-Cookie" not in ask(guarded, consent=consent).headers
    cookie = signed_cookie(KEYS, "visitor-9", int(time.time()))
    answer = ask(guarded, cookie, consent=consent)
    assert answer.headers["Set-Cookie"].startswith(f"{COOKIE}=; Path=/; Max-Age=0;")
    capped = ask(guarded, cookie, headers={"Sec-GPC": "1"})
    assert "Max-Age=0" in capped.headers["Set-Cookie"]


def test_without_a_secret_a_body_is_believed_and_a_visitor_still_gets_a_cookie(
    running: Stand,
) -> None:
    answer = ask(running, user_id="u1")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert read_cookie(Keys(), given(ask(running)), int(time.time())) is not None
    refused = ask(running, token=signed_token(KEYS, "u1", int(time.time()) + 60))
    assert refused.status_code == 401


def test_a_visitor_who_wants_to_be_another_has_the_cookie_taken_away(guarded: Stand) -> None:
    answer = guarded.client.delete("/v1/identity")
    assert answer.status_code == 204
    assert answer.headers["Set-Cookie"].startswith(f"{COOKIE}=; Path=/; Max-Age=0;")


def test_a_client_that_asks_too_often_is_told_to_wait() -> None:
    settings = {"ATTUNE_RATE_LIMIT": "1/3", "ATTUNE_CLIENT_ADDRESS_HEADER": "X-Client"}
    with running_stand(**settings) as stand:
        answers = [ask(stand, user_id="u1", headers={"X-Client": "192.0.2.1"}) for _ in range(9)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
        assert len(refused) >= 1
        assert refused[0].headers["Retry-After"] == "1"
        assert ask(stand, user_id="u1", headers={"X-Client": "192.0.2.2"}).status_code == 200
        assert stand.status()["clients"] == 2
