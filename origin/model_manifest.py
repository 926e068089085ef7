"""The manifest beside an ONNX graph: what the model is, what it eats, what it was trained on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from attune.contract.decode import ContractError, Fields

GRAPH_BYTES_MAX = 256 * 1024 * 1024


class ModelError(Exception):
    """A model cannot be used; the message names the file, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What a model's inputs must agree with: wire schema, context vector and features."""

    schema: int
    context: int
    features: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A model's description.

    The graph takes ``features``, float32 (rows, len(feature_order)), and returns ``scores``,
    float32 (rows,) in [0, 1]. ``sha256`` is of the graph's bytes. ``data_from_ms`` and
    ``data_until_ms`` are the times of the first and the last event that it was trained on.
    """

    name: str
    version: str
    feature_order: tuple[str, ...]
    feature_version: int
    context_version: int
    schema_version: int
    opset: int
    sha256: str
    trained_on: str
    data_from_ms: int
    data_until_ms: int
    metrics: Mapping[str, float]


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in the file; raise ModelError where it is none."""
    try:
        fields = Fields(json.loads(path.read_bytes()))
        metrics = fields.raw("metrics")
        return Manifest(
            name=fields.text("name"),
            version=fields.text("version"),
            feature_order=fields.texts("feature_order", 256),
            feature_version=fields.integer("feature_version", 0, 1_000_000),
            context_version=fields.integer("context_version", 0, 1_000_000),
            schema_version=fields.integer("schema_version", 0, 1_000_000),
            opset=fields.integer("opset", 1, 1_000),
            sha256=fields.text("sha256"),
            trained_on=fields.text("trained_on", 2_000),
            data_from_ms=fields.time_ms("data_from_ms"),
            data_until_ms=fields.time_ms("data_until_ms"),
            metrics=dict(metrics) if isinstance(metrics, dict) else {},  # pyright: ignore
        )
    except (OSError, ValueError, ContractError) as error:
        raise ModelError(f"{path}: no readable manifest: {error}") from error


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest, one key a line, so that a change of it reads well."""
    path.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")


def checked_graph(folder: Path, name: str, order: tuple[str, ...], ours: Versions) -> bytes:
    """Return the bytes of the folder's graph of this name.

    Raises:
        ModelError: unless the manifest fits this code's features and versions, and the graph is the
            one that the manifest was written for.
    """
    manifest = read_manifest(folder / f"{name}.json")
    path = folder / f"{name}.onnx"
    stated = Versions(manifest.schema_version, manifest.context_version, manifest.feature_version)
    if stated != ours or manifest.feature_order != order:
        raise ModelError(
            f"{path}: trained on {len(manifest.feature_order)} features at {stated}, but this"
            f" version computes {len(order)} at {ours}; train anew with `attune train models`"
        )
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from error
    if hashlib.sha256(graph).hexdigest() != manifest.sha256:
        raise ModelError(f"{path}: is not the graph that its manifest describes (sha256 differs)")
    return graph
