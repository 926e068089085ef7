"""Random but reproducible states of the edge: bundles, policies and requests from a seed."""

from __future__ import annotations

import random
from array import array
from dataclasses import replace

from attune.consent import Consent
from attune.context import DAYPARTS, DEVICES, Context
from attune.contract.bundle import (
    EMBEDDING_DIMENSION,
    SOURCES,
    Bundle,
    BundleRequest,
    Candidates,
    Recents,
)
from attune.contract.event import ACTIONS
from attune.contract.policy import PolicySnapshot
from attune.contract.recommendation import Card
from attune.embedding import normalised
from attune.features import CANDIDATE_FEATURES
from attune.quantisation import quantised

NOW_MS = 1_767_225_600_000
CATEGORIES = ("shoes", "lamps", "books", "")


def random_bundle(
    question: BundleRequest, rng: random.Random, created_at_ms: int, candidates: int = 60
) -> Bundle:
    """Return a bundle that answers the question."""
    ids = [f"item-{number:03d}" for number in rng.sample(range(200), candidates)]
    own = question.user_id is not None
    return Bundle(
        version=f"{rng.getrandbits(64):016x}",
        user_id=question.user_id,
        consent=question.consent,
        surface=question.surface,
        degraded="full" if question.consent is Consent.FULL else "popular",
        created_at_ms=created_at_ms,
        fresh_ms=10_000,
        stale_ms=3_600_000,
        covers_until_ms=created_at_ms - rng.randrange(0, 600_000) if own else 0,
        policy_version=rng.randrange(100),
        model_version="trained-1",
        user_embedding=array("f", normalised(_gaussians(rng)) if own else [0.0] * 64),
        user_interactions=rng.randrange(200) if own else 0,
        seen=tuple(rng.sample(ids, min(3, len(ids)))) if own else (),
        exposures=bytes(rng.choice((0, 0, 0, 1, 2, 5)) for _ in ids),
        recents=random_recents(rng) if own else Recents(),
        candidates=random_candidates(ids, rng),
    )


def random_candidates(ids: list[str], rng: random.Random) -> Candidates:
    """Return candidates with these ids, best base score first."""
    scores = sorted((rng.random() for _ in ids), reverse=True)
    return Candidates(
        item_ids=tuple(ids),
        cards=tuple(_card(item_id, rng) for item_id in ids),
        sources=tuple(rng.choice(SOURCES) for _ in ids),
        embeddings=b"".join(quantised(_gaussians(rng)) for _ in ids),
        base_scores=array("f", scores),
        feature_names=CANDIDATE_FEATURES,
        features=array("f", (rng.gauss(0, 1) for _ in range(len(ids) * len(CANDIDATE_FEATURES)))),
        alpha=array("f", (1.0 + rng.randrange(30) for _ in ids)),
        beta=array("f", (20.0 + rng.randrange(300) for _ in ids)),
    )


def random_recents(rng: random.Random) -> Recents:
    """Return items of the session that are no candidates."""
    ids = tuple(f"item-{number}" for number in rng.sample(range(200, 220), 3))
    return Recents(
        item_ids=ids,
        embeddings=b"".join(quantised(_gaussians(rng)) for _ in ids),
        categories=tuple(rng.choice(CATEGORIES) for _ in ids),
    )


def random_policy(rng: random.Random) -> PolicySnapshot:
    """Return a snapshot with posteriors of some of the items."""
    plain = PolicySnapshot(version=rng.randrange(1, 1_000), created_at_ms=NOW_MS)
    posteriors = {
        device: {
            f"item-{number:03d}": (1.0 + rng.randrange(40), 20.0 + rng.randrange(400))
            for number in rng.sample(range(200), 30)
        }
        for device in DEVICES
    }
    return replace(plain, epsilon=rng.choice((0.0, 0.1, 0.4)), posteriors=posteriors)


def random_request(rng: random.Random, now_ms: int) -> dict[str, object]:
    """Return a browser's request; a third each for the states of consent."""
    consent = rng.choice(tuple(Consent))
    return {
        "schema": 1,
        "consent": consent.value,
        "user_id": f"user-{rng.randrange(12)}" if consent is Consent.FULL else None,
        "session_id": f"session-{rng.randrange(1_000)}",
        "surface": rng.choice(("home", "detail")),
        "n": rng.choice((1, 2, 6, 12, 24, 50)),
        "context": random_context(rng).pack(),
        "recent": [_recent(rng, now_ms) for _ in range(rng.randrange(6))],
        "exclude": [f"item-{rng.randrange(200):03d}" for _ in range(rng.randrange(3))],
        "after": [f"item-{rng.randrange(200):03d}" for _ in range(rng.choice((0, 0, 0, 24)))],
        "categories": rng.choice(((), (), (), ("shoes",), ("lamps", "books"))),
    }


def random_context(rng: random.Random) -> Context:
    """Return a context out of some dozens."""
    return Context(
        device=rng.choice(DEVICES),
        region=rng.choice(("DE", "US")),
        local_hour=rng.randrange(24) // len(DAYPARTS) * len(DAYPARTS),
        entry_category=rng.choice(CATEGORIES),
    )


def _recent(rng: random.Random, now_ms: int) -> dict[str, object]:
    return {
        "item_id": f"item-{rng.randrange(220):03d}",
        "action": rng.choice(ACTIONS),
        "occurred_at_ms": now_ms - rng.randrange(900_000),
    }


def _card(item_id: str, rng: random.Random) -> Card:
    return Card(
        title=f"Item № {item_id}",
        category=rng.choice(CATEGORIES),
        image_url=f"/v1/media/{item_id}.webp",
        price=rng.choice((None, 9.99, 120.0)),
    )


def _gaussians(rng: random.Random) -> list[float]:
    return [rng.gauss(0, 1) for _ in range(EMBEDDING_DIMENSION)]
