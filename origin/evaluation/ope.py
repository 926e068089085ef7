"""Off-policy evaluation: what a policy would have earned, told from another policy's log.

With w = policy's probability / logged propensity, reward r, a reward model q(x, a) and its
expectation q(x) under the policy (means over rows):

    IPS     w r                                 unbiased, noisy (Horvitz & Thompson, 1952)
    SNIPS   sum w r / sum w                     little bias, calmer (Swaminathan & Joachims, 2015)
    DM      q(x)                                only as good as the model
    DR      q(x) + w (r - q(x, a))              unbiased if either is right (Dudik et al., 2011)
    DRos    DR with w' = lambda w / (w^2 + lambda)      optimistic shrinkage (Su et al., 2020)
    SWITCH  DR where w <= tau, DM elsewhere     (Wang, Agarwal & Dudik, 2017)

lambda and tau are chosen by the smallest estimate of squared bias plus variance. Positions count
as decisions of their own: a reward depends on the item, its position and the context, not on the
other items of the slate (the item-position model; Li et al., "Offline Evaluation of Ranking
Policies with Click Models", 2018). With ``cascade`` it may also depend on what stands above.

Where the log cannot speak for the policy, there is no estimate but a reason (``ope_support``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from origin.evaluation.intervals import (
    Interval,
    Ratio,
    Vector,
    bernstein_interval,
    bootstrap_intervals,
    mean_of,
    normal_interval,
    standard_error,
)
from origin.evaluation.ope_log import Log, LogError, Policy, carried_weights
from origin.evaluation.ope_rewards import Predictions, predicted_rewards
from origin.evaluation.ope_support import Overlap, overlap

SHRINKAGES = np.concatenate([10.0 ** np.arange(-2.0, 6.5, 0.5), [np.inf]])
THRESHOLDS = np.concatenate([2.0 ** np.arange(0.0, 12.0), [np.inf]])

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to estimate. ``clip`` bounds the weights from above: less noise, and a lower bound."""

    clip: float | None = None
    cascade: bool = False
    confidence: float = 0.95
    resamples: int = 1_000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimator's answer; ``parameter`` is its chosen lambda or tau.

    DM has no interval: how wrong its model is cannot be told from the model.
    """

    value: float
    standard_error: float | None
    normal: Interval | None
    bootstrap: Interval | None
    bernstein: Interval | None
    parameter: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answer: overlap always, estimates and the difference from the log if it may be judged.

    ``difference`` is the interval of (policy - log) by ``headline``: the wider of normal and
    bootstrap at each end, because few clicks make either too narrow.
    """

    overlap: Overlap
    logged_value: float
    logged_interval: Interval
    estimates: Mapping[str, Estimate]
    headline: str | None
    difference: Interval | None

    @property
    def verdict(self) -> str:
        """abstained, better, worse or undecided: the policy against the one that made the log."""
        if self.difference is None:
            return "abstained"
        if self.difference.low > 0.0:
            return "better"
        return "worse" if self.difference.high < 0.0 else "undecided"


def ignored(what: str, done: int, total: int) -> None:
    """Take no notice of progress."""


def evaluated(
    log: Log, policy: Policy, options: Options, progress: Progress = ignored
) -> Evaluation:
    """Return what the log tells about the policy."""
    check(log, policy)
    weights = policy.logged / log.propensities
    if options.cascade:
        weights = carried_weights(log, weights)
    found = overlap(log, policy, weights, options.clip)
    logged = mean_of(log.rewards)
    logged_interval = normal_interval(logged, log.slates, options.confidence)
    if found.reasons:
        return Evaluation(found, logged.value, logged_interval, {}, None, None)
    progress("estimating", 0, 3)
    predictions = None if options.cascade else predicted_rewards(log, policy, options.seed)
    progress("estimating", 1, 3)
    used = weights if options.clip is None else np.minimum(weights, options.clip)
    columns = estimators(log, used, predictions)
    headline = "dr" if predictions is not None else "snips"
    against = mean_of(columns[headline][0].influence + columns[headline][0].value - log.rewards)
    ratios = [ratio for ratio, _ in columns.values()]
    *bootstraps, bootstrap_against = bootstrap_intervals(
        [*ratios, against], log.slates, options.confidence, options.resamples, options.seed
    )
    progress("estimating", 3, 3)
    largest = float(used.max()) if options.clip is None else options.clip
    estimates = {
        name: estimated(name, ratio, parameter, bootstrap, log, largest, options.confidence)
        for (name, (ratio, parameter)), bootstrap in zip(columns.items(), bootstraps, strict=True)
    }
    normal_against = normal_interval(against, log.slates, options.confidence)
    difference = Interval(
        min(normal_against.low, bootstrap_against.low),
        max(normal_against.high, bootstrap_against.high),
    )
    return Evaluation(found, logged.value, logged_interval, estimates, headline, difference)


def estimated(
    name: str,
    ratio: Ratio,
    parameter: float | None,
    bootstrap: Interval,
    log: Log,
    largest: float,
    confidence: float,
) -> Estimate:
    """Return an estimator's answer with its intervals."""
    if name == "dm":
        return Estimate(ratio.value, None, None, None, None, None)
    return Estimate(
        ratio.value,
        standard_error(ratio, log.slates),
        normal_interval(ratio, log.slates, confidence),
        bootstrap,
        bernstein(name, ratio, log, largest, confidence),
        parameter,
    )


def check(log: Log, policy: Policy) -> None:
    """Refuse what no estimator may be asked about."""
    if len(log) == 0 or int(log.slates.max()) < 1:
        raise LogError("a log of fewer than two slates cannot be evaluated")
    if not bool(((log.propensities > 0.0) & (log.propensities <= 1.0)).all()):
        raise LogError("propensity must be above 0 and at most 1 in every row")
    if not bool(((log.rewards >= 0.0) & (log.rewards <= 1.0)).all()):
        raise LogError("reward must be between 0 and 1 in every row")
    if not bool(((policy.logged >= 0.0) & (policy.logged <= 1.0)).all()):
        raise LogError("the policy's probability must be between 0 and 1 in every row")


def estimators(
    log: Log, weights: Vector, predictions: Predictions | None
) -> dict[str, tuple[Ratio, float | None]]:
    """Return each estimator's columns, with the parameter that it chose."""
    earned = weights * log.rewards
    found: dict[str, tuple[Ratio, float | None]] = {
        "ips": (mean_of(earned), None),
        "snips": (Ratio(earned, weights), None),
    }
    if predictions is None:
        return found
    missed = log.rewards - predictions.logged
    shrinkage = chosen(SHRINKAGES, shrunk, weights, missed, predictions.policy)
    threshold = chosen(THRESHOLDS, switched, weights, missed, predictions.policy)
    found["dm"] = (mean_of(predictions.policy), None)
    found["dr"] = (mean_of(predictions.policy + weights * missed), None)
    shrunken = shrunk(weights, shrinkage)
    found["dros"] = (mean_of(predictions.policy + shrunken * missed), shrinkage)
    kept = switched(weights, threshold)
    found["switch"] = (mean_of(predictions.policy + kept * missed), threshold)
    return found


def shrunk(weights: Vector, shrinkage: float) -> Vector:
    """Return optimistically shrunk weights: unchanged at infinity, 0 at 0.

    >>> shrunk(np.array([1.0, 10.0]), 100.0).round(2).tolist()
    [0.99, 5.0]
    """
    if np.isinf(shrinkage):
        return weights
    return shrinkage * weights / (weights**2 + shrinkage)


def switched(weights: Vector, threshold: float) -> Vector:
    """Return the weights up to the threshold, 0 above it."""
    return np.where(weights <= threshold, weights, 0.0)


def chosen(
    parameters: Vector,
    changed: Callable[[Vector, float], Vector],
    weights: Vector,
    missed: Vector,
    direct: Vector,
) -> float:
    """Return the parameter with the smallest estimate of squared bias plus variance.

    The bias of changed weights is the mean of (w' - w)(r - q). It is itself an estimate: its own
    error is added, so that noise in the tail does not pass for a bias that is small.
    """
    best, best_error = float(parameters[0]), float("inf")
    for parameter in parameters:
        used = changed(weights, float(parameter))
        lost = (used - weights) * missed
        bias = abs(float(lost.mean())) + float(lost.std()) / np.sqrt(len(lost))
        error = float(bias) ** 2 + float((direct + used * missed).var()) / len(lost)
        if error < best_error:
            best, best_error = float(parameter), error
    return best


def bernstein(
    name: str, ratio: Ratio, log: Log, largest: float, confidence: float
) -> Interval | None:
    """Return the interval that holds for any sample size; None where its range is not known.

    IPS lies in [0, W], where W is the largest weight that could occur: a clip guarantees it, else
    the largest one seen stands in for it.
    """
    if name == "ips":
        return bernstein_interval(ratio.numerator, log.slates, confidence, largest)
    if name == "dr":
        return bernstein_interval(ratio.numerator, log.slates, confidence, 2.0 * largest + 1.0)
    return None
