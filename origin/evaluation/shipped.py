"""Rankers that are not fitted to the warm-up: the one that ships, and the plain rule."""

from pathlib import Path

from origin.evaluation.prequential import Fitter, Progress
from origin.model_manifest import ModelError
from origin.orchestrator import Ranker
from origin.plain_ranker import PlainRanker
from origin.ranking import OnnxRanker


class ShippedModel(Fitter):
    """The ranker in the folder of models."""

    def __init__(self, folder: Path, evaluated_from_ms: int) -> None:
        """Load it; raise ModelError when it may have seen what is to be evaluated."""
        self._ranker = OnnxRanker(folder)
        if self._ranker.manifest.data_until_ms >= evaluated_from_ms:
            raise ModelError(
                f"{folder}: the shipped ranker was trained on events up to or after the first"
                " evaluated one, which would be no fair question; use --model fitted"
            )

    def ranker(self, progress: Progress) -> tuple[Ranker, str]:
        """Return the shipped ranker."""
        manifest = self._ranker.manifest
        return self._ranker, f"shipped {manifest.version}, trained on {manifest.trained_on}"


class PlainModel(Fitter):
    """The rule that stands in where there is no model."""

    def ranker(self, progress: Progress) -> tuple[Ranker, str]:
        """Return the plain rule."""
        return PlainRanker(), "plain rule"
