"""The edge scorer as its manifest describes it."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

from attune.context import CONTEXT_VERSION
from attune.contract import SCHEMA_VERSION
from attune.contract.decode import Fields
from attune.features import EDGE_FEATURES


@dataclass(frozen=True, slots=True)
class Model:
    """The scorer's version, and whether it was trained on the inputs that this code makes."""

    version: str
    fits: bool
    sha256: str = ""


def read_model(raw: object) -> Model:
    """Return the model that the manifest describes.

    One trained on other inputs does not fit, and is never asked: the linear fallback ranks.
    """
    fields = Fields(raw)
    order = fields.texts("feature_order", 256)
    return Model(
        version=fields.text("version"),
        fits=order == EDGE_FEATURES
        and fields.integer("context_version", 0, 1_000_000) == CONTEXT_VERSION
        and fields.integer("schema_version", 0, 1_000_000) <= SCHEMA_VERSION,
        sha256=fields.optional_text("sha256") or "",
    )


def read_scores(scores: bytes | None, count: int) -> array[float] | None:
    """Return the scorer's float32 values; None when they are absent, too few or not finite."""
    if scores is None or len(scores) != 4 * count:
        return None
    values = array("f")
    values.frombytes(scores)
    return values if all(math.isfinite(value) for value in values) else None
