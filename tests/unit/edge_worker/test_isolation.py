"""Whatever is asked in whatever order: no user's bundle reaches another, or outlives a consent."""

import json
import random
from dataclasses import replace
from typing import Any

import msgpack
from hypothesis import given, settings
from hypothesis import strategies as st

from attune.consent import Consent
from attune.contract.bundle import BundleRequest, pack_bundle, read_bundle_request
from attune.contract.recommendation import Card
from edge_worker.phases import Phases
from tests.parity.states import NOW_MS, random_bundle
from tests.unit.edge_worker.test_phases import manifest

USERS = ("u1", "u2", "0", "4:u1")
STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "user": st.sampled_from(USERS),
            "consent": st.sampled_from(("full", "full", "cohort", "none")),
            "surface": st.sampled_from(("home", "u1")),
            "device": st.sampled_from(("mobile", "desktop")),
            "gpc": st.booleans(),
            "after_ms": st.sampled_from((0, 50, 3_000, 20_000, 4_000_000)),
            "fate": st.sampled_from(("origin", "origin", "cache", "late", "failed", "refused")),
        }
    ),
    min_size=2,
    max_size=14,
)


def owner(asked: BundleRequest) -> str:
    return "/".join((asked.consent.value, asked.user_id or "-", asked.surface))


class Worker:
    """The phases as JavaScript drives them, with a store behind them as the Cache API is."""

    def __init__(self) -> None:
        self.phases = Phases(manifest())
        self.store: dict[str, bytes] = {}
        self.now_ms = NOW_MS
        self.has_popular = False

    def bundle(self, question: bytes) -> bytes:
        """Return a bundle whose every card names whom it was made for."""
        asked = read_bundle_request(msgpack.unpackb(question))
        self.has_popular |= asked.consent is Consent.NONE
        made = random_bundle(asked, random.Random(7), self.now_ms, candidates=8)
        cards = tuple(Card(title=owner(asked)) for _ in made.candidates.cards)
        made = replace(made, candidates=replace(made.candidates, cards=cards))
        return bytes(msgpack.packb(pack_bundle(made)))

    def slate(self, step: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a step's request."""
        self.now_ms += step["after_ms"]
        body = {
            "consent": step["consent"],
            "user_id": step["user"],
            "session_id": "s1",
            "surface": step["surface"],
            "n": 4,
            "context": {"device": step["device"]},
        }
        arrival = {
            "body": body,
            "global_privacy_control": step["gpc"],
            "now_ms": self.now_ms,
            "entropy": bytes(range(18)),
        }
        plan = msgpack.unpackb(self.phases.begin(msgpack.packb(arrival)))
        handle = plan["handle"]
        self.behind(plan, step["fate"])
        if "wait" in plan:
            payload, source = self.found(plan["wait"], step["fate"])
            packed = self.phases.resume(handle, payload, source, self.now_ms)
            self.behind(msgpack.unpackb(packed), step["fate"])
        answer = dict(json.loads(self.phases.finish(handle, b"")))
        self.phases.drop(handle)
        return answer

    def found(self, wait: dict[str, Any], fate: str) -> tuple[bytes, str]:
        if wait["key"] in self.store:
            return self.store[wait["key"]], "cache"
        for spare in wait["spares"]:
            if spare in self.store:
                self.phases.offer_bundle(spare, self.store[spare], "cache", self.now_ms)
        if fate != "origin" or wait["deadline_ms"] == 0:
            return b"", "none" if fate in ("origin", "cache") else fate
        self.store[wait["key"]] = self.bundle(wait["question"])
        return self.store[wait["key"]], "origin"

    def behind(self, plan: dict[str, Any], fate: str) -> None:
        for fetch in plan.get("behind", ()):
            payload = self.bundle(fetch["question"]) if fate == "origin" else b""
            source = "origin" if payload else "failed"
            self.phases.offer_bundle(fetch["key"], payload, source, self.now_ms)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(STEPS)
def test_no_order_of_requests_shows_one_user_s_bundle_to_another(
    steps: list[dict[str, Any]],
) -> None:
    worker = Worker()
    for step in steps:
        answer = worker.slate(step)
        in_force = "cohort" if step["gpc"] and step["consent"] == "full" else step["consent"]
        assert answer["consent"] == in_force
        for item in answer["items"]:
            consent, user, _ = item["title"].split("/")
            if consent == "full":
                assert (user, in_force) == (step["user"], "full")
            else:
                assert user == "-"
            if in_force == "none":
                assert consent == "none"
        # Once a bundle for everyone came by, nothing that fails makes an answer empty again.
        assert bool(answer["items"]) or not worker.has_popular


def test_a_bundle_under_another_s_key_is_refused_wherever_it_comes_from() -> None:
    for source in ("origin", "cache", "kv"):
        worker = Worker()
        body = {"consent": "full", "user_id": "u1", "session_id": "s1"}
        arrival = {"body": body, "now_ms": NOW_MS, "entropy": bytes(range(18))}
        wait = msgpack.unpackb(worker.phases.begin(msgpack.packb(arrival)))["wait"]
        asked = msgpack.unpackb(wait["question"])
        stolen = worker.bundle(msgpack.packb(asked | {"user_id": "u2"}))
        assert msgpack.unpackb(worker.phases.offer_bundle(wait["key"], stolen, source, NOW_MS)) == {
            "keep_ms": 0
        }
