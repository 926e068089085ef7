"""Ranking by a plain rule: what stands in when there is no trained model, or it is late."""

import numpy as np
from numpy.typing import NDArray

from origin.ranker_features import RANKER_FEATURES, RankerInput, ranker_features

WEIGHTS = {
    "popularity_1d": 0.25,
    "popularity_7d": 0.15,
    "companionship_recent": 0.45,
    "cosine_user": 2.5,
    "cosine_recent": 1.5,
}
"""Per unit of the feature (the first three are binary logarithms); good taste, not fitted."""


class PlainRanker:
    """A logistic rule over a few of the ranker's features."""

    version = "plain"

    def scores(self, given: RankerInput) -> NDArray[np.float32]:
        """Return a number in (0, 1) for each candidate: (N,), one half for the average one."""
        rows = ranker_features(given)  # (N, F)
        weights = np.array([WEIGHTS.get(name, 0.0) for name in RANKER_FEATURES])  # (F,)
        logits = rows @ weights  # (N,)
        # Two deviations become one unit, so that no score comes near 0 or 1 and all stay apart.
        unit = 2.0 * logits.std() + 1e-6
        return (1.0 / (1.0 + np.exp((logits.mean() - logits) / unit))).astype(np.float32)
