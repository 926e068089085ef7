"""The rehearsal that warms the interpreter up before its snapshot is made."""

import json

import pytest

from attune.context import CONTEXT_VERSION
from attune.contract import SCHEMA_VERSION
from attune.features import EDGE_FEATURES
from edge_worker import rehearsal
from edge_worker.entry import methods
from edge_worker.phases import Phases
from edge_worker.rehearsal import rehearse

MANIFEST = json.dumps(
    {
        "version": "rehearsed",
        "feature_order": EDGE_FEATURES,
        "context_version": CONTEXT_VERSION,
        "schema_version": SCHEMA_VERSION,
    }
).encode()


def test_a_visitor_gets_through_every_phase() -> None:
    rehearse(MANIFEST)


def test_a_phase_that_does_not_answer_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "CANDIDATES", 3)
    with pytest.raises(RuntimeError, match="slate holds"):
        rehearse(MANIFEST)


def test_javascript_is_told_of_every_public_phase() -> None:
    names = methods().decode().split("\n")
    assert {"begin", "resume", "finish", "drop"} <= set(names)
    assert all(callable(getattr(Phases, name)) for name in names)
