"""The edge scorer that the origin hands out: the newest usable pair of manifest and graph."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from origin.model_manifest import ModelError, read_manifest

NAME = "edge_scorer"

GRAPH_BYTES_MAX = 16 * 1024 * 1024
"""An edge's isolate has 128 MB; the shipped graph takes 0.1."""

logger = logging.getLogger("attune.origin")


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A manifest's bytes with the graph that they describe. ``tag`` names the manifest."""

    manifest: bytes
    graph: bytes
    sha256: str
    tag: str


class ServedModels:
    """Reads the folder again when its files changed; a pair that does not fit is not taken."""

    def __init__(self, folder: Path) -> None:
        self._manifest = folder / f"{NAME}.json"
        self._graph = folder / f"{NAME}.onnx"
        self._seen: tuple[int, int] | None = None
        self._current: ServedModel | None = None

    def current(self) -> ServedModel | None:
        """Return the newest usable model; None where there never was one."""
        try:
            seen = self._manifest.stat().st_mtime_ns, self._graph.stat().st_mtime_ns
        except OSError:
            return self._current
        if seen != self._seen:
            self._seen = seen
            try:
                self._current = self._read()
            except (OSError, ModelError) as error:
                # Both files change when a model is exported, one after the other.
                self._seen = None
                logger.warning(
                    "An edge scorer is not handed out: %s", error, extra={"action": "model_refused"}
                )
        return self._current

    def _read(self) -> ServedModel:
        manifest = self._manifest.read_bytes()
        stated = read_manifest(self._manifest).sha256
        graph = self._graph.read_bytes()
        found = hashlib.sha256(graph).hexdigest()
        if found != stated or len(graph) > GRAPH_BYTES_MAX:
            raise ModelError(f"{self._graph}: is not the graph that its manifest describes")
        tag = hashlib.sha256(manifest).hexdigest()[:32]
        return ServedModel(manifest, graph, found, f'"{tag}"')
