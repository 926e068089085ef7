"""Checking for drift: one look at users, features and rewards against their baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attune.contract.served import ServedSlate
from attune.drift import PageHinkley, cosine_distance, observed, stability_index
from origin.drift_state import DriftReport, DriftState, Histogram

USERS_MIN = 200
DIRECTION_MIN = 5.0
"""Length of the users' mean over what luck alone gives it, 1 / sqrt(users): below it the users
have no direction in common, and the mean points anywhere."""

SLATES_MIN = 500
"""Below so many slates in the baseline or the sample, luck alone moves an index by .04."""

BINS = 10
TRIALS_MIN = 500.0
"""Trials behind one observation of the mean reward, so that it is about normal."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is there now: users' embeddings (U, 64), features by name, and all rewards so far."""

    users: NDArray[np.float32]
    features: Mapping[str, NDArray[np.float64]]
    slates: int
    trials: float
    earned: float


def feature_columns(slates: Sequence[ServedSlate]) -> dict[str, NDArray[np.float64]]:
    """Return the values of each feature over the items of all slates."""
    tables = [
        (slate.feature_names, np.array([item.features for item in slate.items], dtype=np.float64))
        for slate in slates
        if slate.items and slate.feature_names
    ]
    names = dict.fromkeys(name for columns, _ in tables for name in columns)
    return {
        name: np.concatenate([t[:, cols.index(name)] for cols, t in tables if name in cols])
        for name in names
    }


def checked(state: DriftState, sample: Sample, now_ms: int) -> DriftState:
    """Return the state after a look; what has no baseline yet takes the sample for it."""
    users, direction = _population(sample)
    population = state.population or direction
    features = dict(state.features)
    if sample.slates >= SLATES_MIN:
        for name, values in sample.features.items():
            features.setdefault(name, histogram(values))
    test, trials, earned, mean = _rewards(state, sample)
    report = DriftReport(
        checked_at_ms=now_ms,
        population_distance=cosine_distance(population, direction) if direction else None,
        population_users=users,
        feature_indices=_indices(features, sample),
        reward_mean=mean,
        reward_statistic=test.statistic,
        reward_drifted=test.has_drifted,
    )
    return replace(
        state, population=population, features=features, reward=test, trials=trials,
        earned=earned, report=report,
    )  # fmt: skip


def _population(sample: Sample) -> tuple[int, tuple[float, ...]]:
    """Return how many users have an embedding, and their mean where it means anything."""
    known = sample.users[sample.users.any(axis=1)] if len(sample.users) else sample.users
    if len(known) < USERS_MIN:
        return len(known), ()
    mean = known.mean(axis=0, dtype=np.float64)  # (64,)
    if float(np.linalg.norm(mean)) * len(known) ** 0.5 < DIRECTION_MIN:
        return len(known), ()
    return len(known), tuple(mean.tolist())


def histogram(values: NDArray[np.float64]) -> Histogram:
    """Return bins that hold about as many values each; fewer where values repeat."""
    inner = np.unique(np.quantile(values, np.linspace(0.0, 1.0, BINS + 1)[1:-1]))
    return Histogram(tuple(inner.tolist()), _counts(values, inner))


def _counts(values: NDArray[np.float64], edges: NDArray[np.float64]) -> tuple[float, ...]:
    places = np.searchsorted(edges, values, side="right")
    return tuple(float(n) for n in np.bincount(places, minlength=len(edges) + 1))


def _indices(features: Mapping[str, Histogram], sample: Sample) -> dict[str, float]:
    if sample.slates < SLATES_MIN:
        return {}
    return {
        name: stability_index(known.counts, _counts(sample.features[name], np.array(known.edges)))
        for name, known in features.items()
        if name in sample.features
    }


def _rewards(state: DriftState, sample: Sample) -> tuple[PageHinkley, float, float, float | None]:
    """Return the test, the totals that it has seen, and the latest mean reward, if any."""
    trials = sample.trials - state.trials
    if state.trials == 0.0 or trials < 0.0:
        # The first look, or the counts were made anew: what was there before is no observation.
        return state.reward, sample.trials, sample.earned, state.report.reward_mean
    if trials < TRIALS_MIN:
        return state.reward, state.trials, state.earned, state.report.reward_mean
    mean = (sample.earned - state.earned) / trials
    return observed(state.reward, mean), sample.trials, sample.earned, mean
