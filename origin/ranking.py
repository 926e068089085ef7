"""Scoring with trained models: the deep ranker and the edge scorer through onnxruntime."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from array import array
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from attune.context import CONTEXT_VERSION
from attune.contract import SCHEMA_VERSION
from attune.features import EDGE_FEATURES
from attune.features import FEATURE_VERSION as EDGE_FEATURE_VERSION
from origin.model_manifest import Manifest, Versions, checked_graph, read_manifest
from origin.ranker_features import (
    FEATURE_VERSION,
    RANKER_FEATURES,
    RankerInput,
    Rows,
    ranker_features,
)

RANKER = "ranker"
EDGE_SCORER = "edge_scorer"

RANKER_VERSIONS = Versions(SCHEMA_VERSION, CONTEXT_VERSION, FEATURE_VERSION)
EDGE_VERSIONS = Versions(SCHEMA_VERSION, CONTEXT_VERSION, EDGE_FEATURE_VERSION)


class GraphRanker:
    """A deep ranker."""

    def __init__(self, graph: "Graph", version: str) -> None:
        self._graph = graph
        self._version = version

    @property
    def version(self) -> str:
        """Name of the model."""
        return self._version

    def scores(self, given: RankerInput) -> NDArray[np.float32]:
        """Return a probability for each candidate: (N,)."""
        return self._graph.scores(ranker_features(given))


class OnnxRanker(GraphRanker):
    """The deep ranker of a folder of models."""

    def __init__(self, folder: Path) -> None:
        """Load it; raise ModelError when it does not fit this code."""
        graph = checked_graph(folder, RANKER, RANKER_FEATURES, RANKER_VERSIONS)
        self.manifest: Manifest = read_manifest(folder / f"{RANKER}.json")
        super().__init__(Graph(graph), self.manifest.version)


class OnnxScorer:
    """The edge scorer, as the origin runs it for slates that are decided here."""

    def __init__(self, folder: Path) -> None:
        """Load it; raise ModelError when it does not fit this code."""
        self._graph = Graph(checked_graph(folder, EDGE_SCORER, EDGE_FEATURES, EDGE_VERSIONS))

    def scores(self, rows: "array[float]") -> list[float]:
        """Return a probability for each row of ``EDGE_FEATURES``."""
        values = np.frombuffer(rows, dtype=np.float32).reshape(-1, len(EDGE_FEATURES))
        return self._graph.scores(values).tolist()


class Graph:
    """One ONNX graph: float32 ``features`` (N, F) in, float32 ``scores`` (N,) out."""

    def __init__(self, graph: bytes) -> None:
        options = onnxruntime.SessionOptions()
        # One thread: requests are what is parallel here, and 300 rows take 0.1 ms.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        """Return one score per row."""
        if len(rows) == 0:
            return np.zeros(0, dtype=np.float32)
        found = self._session.run(["scores"], {"features": rows})
        return cast("NDArray[np.float32]", found[0])
