"""The model that ships in the repository is one that this edge can use."""

import hashlib
import json

from attune.features import EDGE_FEATURES
from edge_worker.model import read_model
from origin.settings import Settings

MODELS = Settings().models


def test_the_shipped_scorer_fits_the_inputs_that_the_edge_makes() -> None:
    manifest = json.loads((MODELS / "edge_scorer.json").read_text())
    assert read_model(manifest).fits
    assert tuple(manifest["feature_order"]) == EDGE_FEATURES
    graph = (MODELS / "edge_scorer.onnx").read_bytes()
    assert hashlib.sha256(graph).hexdigest() == manifest["sha256"]
