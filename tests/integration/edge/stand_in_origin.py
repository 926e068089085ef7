"""An origin for the edge's tests: real wire values, and failures on demand."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zlib import crc32

import msgpack

from attune.contract.bundle import BundleRequest, pack_bundle, read_bundle_request
from attune.contract.edge_report import EdgeReport, read_edge_report
from attune.contract.policy import pack_policy
from attune.contract.served import ServedSlate, read_served_batch
from tests.parity.states import random_bundle, random_policy


@dataclass
class Behaviour:
    """What the origin does, changed by a test while it runs."""

    status: int = 200
    delay_s: float = 0.0
    age_ms: int = 0
    fresh_ms: int = 10_000
    candidates: int = 60
    foreign_user: bool = False
    cards_name_their_owner: bool = False
    failures: int = 0
    """How many requests to come are answered with 503."""
    refused_item: str = ""
    """An item whose events make this origin refuse a whole batch."""
    requests: Counter[str] = field(default_factory=Counter[str])
    questions: list[BundleRequest] = field(default_factory=list[BundleRequest])
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    slates: list[ServedSlate] = field(default_factory=list[ServedSlate])
    reports: list[EdgeReport] = field(default_factory=list[EdgeReport])
    manifest: bytes = b""
    graph: bytes = b""


class Handler(BaseHTTPRequestHandler):
    """The origin's routes that the edge uses."""

    protocol_version = "HTTP/1.1"
    behaviour: Behaviour

    def do_POST(self) -> None:
        """Answer a bundle question, or take what the edge hands over."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._begin():
            return
        if self.path == "/v1/bundle":
            self._send(200, self._bundle(read_bundle_request(msgpack.unpackb(body))))
        elif self.path == "/v1/slates":
            self.behaviour.slates += read_served_batch(msgpack.unpackb(body))
            self._send(202, b"{}")
        elif self.path == "/v1/edge/metrics":
            self.behaviour.reports.append(read_edge_report(msgpack.unpackb(body)))
            self._send(204, b"")
        else:
            events = msgpack.unpackb(body)["events"]
            if any(event.get("item_id") == self.behaviour.refused_item for event in events):
                self._send(422, b'{"error": {"field": "item_id", "problem": "is refused"}}')
            else:
                self._send(202, self._positions(events))

    def do_GET(self) -> None:
        """Answer with the policy snapshot, or 304 where the asker has it; or with a model."""
        if not self._begin():
            return
        if self.path != "/v1/policy":
            self._model()
        elif self.headers.get("If-None-Match") == '"7"':
            self._send(304, b"")
        else:
            self._send(200, msgpack.packb(pack_policy(random_policy(random.Random(7)))))

    def _bundle(self, question: BundleRequest) -> bytes:
        behaviour = self.behaviour
        behaviour.questions.append(question)
        created_at_ms = int(time.time() * 1000) - behaviour.age_ms
        seed = f"{question.user_id}/{question.surface}/{len(behaviour.questions)}"
        bundle = random_bundle(question, random.Random(seed), created_at_ms, behaviour.candidates)
        packed = pack_bundle(replace(bundle, fresh_ms=behaviour.fresh_ms))
        if behaviour.cards_name_their_owner:
            owner = f"{question.consent}/{question.user_id or '-'}"
            packed["cards"] = [{"title": owner} for _ in bundle.candidates.cards]
        if behaviour.foreign_user:
            packed["user_id"] = "somebody-else"
        return bytes(msgpack.packb(packed))

    def _positions(self, events: list[dict[str, Any]]) -> bytes:
        """Append to a log of one partition; return the origin's answer."""
        self.behaviour.events += events
        return json.dumps({"positions": {"0": len(self.behaviour.events) - 1}}).encode()

    def _model(self) -> None:
        manifest, graph = self.behaviour.manifest, self.behaviour.graph
        if not manifest:
            self._send(404, b"")
        elif self.path.endswith(".onnx"):
            self._send(200, graph)
        elif self.headers.get("If-None-Match") == f'"{crc32(manifest)}"':
            self._send(304, b"")
        else:
            self._send(200, manifest, f'"{crc32(manifest)}"')

    def _begin(self) -> bool:
        self.behaviour.requests[self.path] += 1
        time.sleep(self.behaviour.delay_s)
        if self.behaviour.failures > 0:
            self.behaviour.failures -= 1
            self._send(503, b"failed once")
            return False
        if self.behaviour.status == 200:
            return True
        self._send(self.behaviour.status, b"out of order")
        return False

    def _send(self, status: int, body: bytes, tag: str = '"7"') -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def stand_in_origin() -> Iterator[tuple[str, Behaviour]]:
    """Yield the address of a running origin, and its behaviour."""
    behaviour = Behaviour()
    handler = type("BoundHandler", (Handler,), {"behaviour": behaviour})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", behaviour
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5.0)
