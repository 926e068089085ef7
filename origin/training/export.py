"""Export: a fitted network as an ONNX graph beside its manifest."""

# pyright: reportUnknownMemberType=false, reportPrivateImportUsage=false

import hashlib
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch

from origin.model_manifest import Manifest, Versions, write_manifest
from origin.training.listwise import Network

OPSET = 18
"""What the exporter emits and onnxruntime-web loads (it takes 13 to 26)."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a model was trained on, in a sentence, with the times of its first and last event."""

    trained_on: str
    data_from_ms: int
    data_until_ms: int


def exported(network: Network, width: int) -> bytes:
    """Return the graph: ``features`` (rows, width) in, ``scores`` (rows,) out."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    example = torch.zeros((2, width), dtype=torch.float32)
    rows = torch.export.Dim("rows", min=1, max=100_000)
    with warnings.catch_warnings():
        # The exporter warns of its own future; the graph is compared with the network in tests.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (example,),
            input_names=["features"],
            output_names=["scores"],
            dynamic_shapes=({0: rows},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None, "the dynamo exporter returns its program"
    return without_traces(program.model_proto).SerializeToString()


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model without the exporter's notes, which name files of the exporting machine."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        del value.metadata_props[:]
        value.doc_string = ""
    del model.graph.metadata_props[:]
    return model


def write_model(
    folder: Path,
    name: str,
    network: Network,
    order: tuple[str, ...],
    versions: Versions,
    provenance: Provenance,
    metrics: Mapping[str, float],
) -> Manifest:
    """Write graph and manifest into the folder; return the manifest."""
    graph = exported(network, len(order))
    digest = hashlib.sha256(graph).hexdigest()
    manifest = Manifest(
        name=name,
        version=f"{name}-{digest[:12]}",
        feature_order=order,
        feature_version=versions.features,
        context_version=versions.context,
        schema_version=versions.schema,
        opset=OPSET,
        sha256=digest,
        trained_on=provenance.trained_on,
        data_from_ms=provenance.data_from_ms,
        data_until_ms=provenance.data_until_ms,
        metrics={key: round(value, 4) for key, value in metrics.items()},
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(graph)
    write_manifest(folder / f"{name}.json", manifest)
    return manifest
