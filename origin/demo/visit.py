"""A scripted visit through the edge: look, click, look again, and wait for the stream."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

SLATE_LENGTH = 12
FRESHNESS_DEADLINE_SECONDS = 60.0
"""The promise: an event is visible in the next answer within 60 seconds."""

POLL_SECONDS = 0.1


@dataclass(slots=True)
class Visitor:
    """A browser as the edge sees it: an identity, a session and its memory."""

    client: httpx.Client
    user_id: str = field(default_factory=lambda: f"visitor-{uuid.uuid4()}")
    session_id: str = field(default_factory=lambda: f"session-{uuid.uuid4()}")
    recent: list[dict[str, object]] = field(default_factory=list[dict[str, object]])

    def slate(self, n: int = SLATE_LENGTH) -> "SeenSlate":
        """Return the slate that this visitor is given now."""
        body = {
            "consent": "full",
            "user_id": self.user_id,
            "session_id": self.session_id,
            "surface": "home",
            "n": n,
            "recent": self.recent[-20:],
        }
        response = self.client.post("/v1/recommendations", json=body)
        response.raise_for_status()
        return SeenSlate(response.json(), response.headers)

    def act(self, action: str, item: Mapping[str, Any], slate: "SeenSlate") -> None:
        """Do something with an item of a slate, as the SDK would report it."""
        now_ms = time.time_ns() // 1_000_000
        event = {
            "event_id": str(uuid.uuid4()),
            "type": action,
            "consent": "full",
            "user_id": self.user_id,
            "session_id": self.session_id,
            "item_id": item["item_id"],
            "occurred_at_ms": now_ms,
            "surface": "home",
            "slate_id": slate.answer["slate_id"],
            "position": item["position"],
            "propensity": item["propensity"],
        }
        response = self.client.post("/v1/events", json={"events": [event]})
        response.raise_for_status()
        self.recent.append({"item_id": item["item_id"], "action": action, "occurred_at_ms": now_ms})

    def new_session(self) -> "Visitor":
        """Return the same user in another session, who remembers nothing on the device."""
        return Visitor(self.client, user_id=self.user_id)


@dataclass(frozen=True, slots=True)
class SeenSlate:
    """An answer of the edge."""

    answer: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def items(self) -> Sequence[Mapping[str, Any]]:
        """The slate's items."""
        return self.answer["items"]

    @property
    def item_ids(self) -> list[str]:
        """The slate's item ids, in order."""
        return [item["item_id"] for item in self.items]


@dataclass(slots=True)
class Report:
    """What the visit saw, and what it had hoped to see and did not."""

    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    failures: list[str] = field(default_factory=list[str])

    def expect(self, holds: bool, sentence: str) -> None:
        """Note a failure unless ``holds``."""
        if not holds:
            self.failures.append(sentence)


def scripted_visit(edge_url: str) -> Report:
    """Return the report of one visit: two slates, a click between them, and the stream's answer."""
    report = Report()
    with httpx.Client(base_url=edge_url, timeout=10.0) as client:
        visitor = Visitor(client)
        before = visitor.slate()
        clicked = before.items[min(3, len(before.items) - 1)]
        visitor.act("click", clicked, before)
        after = visitor.slate()
        report.figures["degraded"] = sorted({before.answer["degraded"], after.answer["degraded"]})
        report.figures["slate_before"] = before.item_ids
        report.figures["slate_after"] = after.item_ids
        report.figures["clicked"] = clicked["item_id"]
        report.figures["session_shift"] = after.answer["session_shift"]
        report.figures["moved"] = _moved(before.item_ids, after.item_ids)
        report.expect(len(before.items) == SLATE_LENGTH, "the slate is shorter than asked for")
        report.expect(
            clicked["item_id"] not in after.item_ids, "the clicked item is still in the next slate"
        )
        report.expect(after.answer["session_shift"] > 0.0, "the click did not move the session")
        report.expect(
            any(item["why"] == "session" for item in after.items), "nothing explains itself by it"
        )
        freshness_ms = _freshness_ms(visitor, clicked["item_id"])
        report.figures["freshness_ms"] = freshness_ms
        report.expect(freshness_ms is not None, "the click never reached another session's slate")
        status = client.get("/v1/edge/status")
        report.figures["edge"] = status.json() if status.status_code == 200 else None
    return report


def _freshness_ms(visitor: Visitor, item_id: str) -> int | None:
    """Return how long the click took to show in another session of the same user, or None."""
    clicked_at = time.monotonic()
    elsewhere = visitor.new_session()
    while time.monotonic() - clicked_at < FRESHNESS_DEADLINE_SECONDS:
        slate = elsewhere.slate()
        if item_id not in slate.item_ids and slate.answer["degraded"] in ("full", "stale"):
            return round((time.monotonic() - clicked_at) * 1000)
        time.sleep(POLL_SECONDS)
    return None


def _moved(before: Sequence[str], after: Sequence[str]) -> int:
    """Return how many positions hold another item than before."""
    return sum(1 for one, other in zip(before, after, strict=False) if one != other)
