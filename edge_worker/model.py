"""The edge scorer as its manifest describes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from attune.context import CONTEXT_VERSION
from attune.contract import SCHEMA_VERSION
from attune.contract.decode import Fields
from attune.features import EDGE_FEATURES

SCORE_BYTES = 4
ROW_BYTES = 4 * len(EDGE_FEATURES)


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


@dataclass(frozen=True, slots=True)
class Scored:
    """The scorer's answer: a probability for each candidate of the bundle, and its input rows."""

    scores: Sequence[float]
    rows: bytes

    def rows_of(self, places: Sequence[int]) -> list[bytes]:
        """Return what some candidates were scored by: ``EDGE_FEATURES``; empty if unknown."""
        rows = self.rows
        return [rows[place * ROW_BYTES : (place + 1) * ROW_BYTES] for place in places]


def read_scored(answer: bytes, count: int) -> Scored | None:
    """Return the answer for ``count`` candidates; None when it is absent, short or not finite.

    It is ``count`` float32, then as many rows of the features that they were made from.
    """
    end = SCORE_BYTES * count
    if not answer or len(answer) not in (end, end + ROW_BYTES * count):
        return None
    scores = memoryview(answer)[:end].cast("f").tolist()
    return Scored(scores, answer[end:]) if math.isfinite(sum(scores)) else None
