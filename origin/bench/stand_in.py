"""An origin that answers the edge at once: real wire values, nothing behind them."""

from __future__ import annotations

import random
import threading
import time
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

import numpy as np

from attune.contract.bundle import (
    SOURCES,
    Bundle,
    BundleRequest,
    Candidates,
    Recents,
    pack_bundle,
    read_bundle_request,
)
from attune.contract.policy import PolicySnapshot, pack_policy
from attune.contract.recommendation import Card
from attune.embedding import normalised
from attune.features import CANDIDATE_FEATURES
from attune.quantisation import quantised
from origin.packing import packed, unpacked

DIMENSION = 64
NO_SURFACES: Mapping[str, int] = MappingProxyType({})
CATEGORIES = ("shoes", "lamps", "books", "chairs")


@contextmanager
def stand_in_origin(
    candidates: int = 64, by_surface: Mapping[str, int] = NO_SURFACES
) -> Iterator[str]:
    """Yield the address of an origin whose bundles hold this many candidates."""
    counts = {"": candidates, **by_surface}
    columns = {surface: columns_of(count) for surface, count in counts.items()}
    handler = type("BoundHandler", (_Handler,), {"columns": columns})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5.0)


class _Handler(BaseHTTPRequestHandler):
    """What the edge asks of an origin."""

    protocol_version = "HTTP/1.1"
    # A head and a body in two packets would wait for each other's acknowledgement.
    wbufsize = -1
    columns: Mapping[str, Candidates]
    """By surface; the one without a name is every other's."""

    def do_POST(self) -> None:
        """Answer a bundle question; take anything else."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/bundle":
            question = read_bundle_request(unpacked(body))
            columns = self.columns.get(question.surface, self.columns[""])
            bundle = bundle_of(question, columns)
            self._send(200, packed(pack_bundle(bundle)))
        else:
            self._send(202, b"{}")

    def do_GET(self) -> None:
        """Answer with a policy snapshot that never changes."""
        if self.path != "/v1/policy":
            self._send(404, b"")
        elif self.headers.get("If-None-Match") == '"1"':
            self._send(304, b"")
        else:
            self._send(200, packed(pack_policy(PolicySnapshot(1, int(time.time() * 1000)))))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""


def bundle_of(question: BundleRequest, columns: Candidates) -> Bundle:
    """Return a bundle of these candidates for whoever asks."""
    own = question.user_id is not None
    rng = random.Random(question.user_id or "")  # noqa: S311 - a synthetic visitor
    return Bundle(
        version="bench",
        user_id=question.user_id,
        consent=question.consent,
        surface=question.surface,
        degraded="full" if own else "popular",
        created_at_ms=int(time.time() * 1000),
        fresh_ms=10_000,
        stale_ms=3_600_000,
        covers_until_ms=0,
        policy_version=1,
        model_version="bench",
        user_embedding=array("f", _direction(rng)),
        user_interactions=20 if own else 0,
        seen=(),
        exposures=bytes(len(columns)),
        recents=Recents(),
        candidates=columns,
    )


def columns_of(count: int) -> Candidates:
    """Return so many candidates of a synthetic catalogue."""
    rng = random.Random(count)  # noqa: S311 - a synthetic catalogue
    ids = tuple(f"item-{number:04d}" for number in range(count))
    features = np.random.default_rng(count).normal(size=count * len(CANDIDATE_FEATURES))
    return Candidates(
        item_ids=ids,
        cards=tuple(
            Card(title=f"Item {name}", category=rng.choice(CATEGORIES), image_url=f"/{name}.webp")
            for name in ids
        ),
        sources=tuple(rng.choice(SOURCES) for _ in ids),
        embeddings=b"".join(quantised(_direction(rng)) for _ in ids),
        base_scores=array("f", sorted((rng.random() for _ in ids), reverse=True)),
        feature_names=CANDIDATE_FEATURES,
        features=array("f", features.tolist()),
        alpha=array("f", (1.0 + rng.randrange(30) for _ in ids)),
        beta=array("f", (20.0 + rng.randrange(300) for _ in ids)),
    )


def _direction(rng: random.Random) -> list[float]:
    return normalised([rng.gauss(0, 1) for _ in range(DIMENSION)])
