"""Whether a log can speak for a policy at all: overlap, weights, and reasons to stay silent.

The weight of a row is the policy's probability of what was logged over the log's. Where the log
hardly ever did what the policy would do, a handful of rows carry the whole estimate; their number
is Kish's effective sample size, (sum w)^2 / sum w^2. Two things can be wrong that no number of
rows cures: the policy wants what the log never did (no support), or the logged propensities are
not what really happened (then the weights' mean is not 1, which it is by construction).
"""

from dataclasses import dataclass

import numpy as np

from origin.evaluation.intervals import Codes, Vector, mean_of, standard_error
from origin.evaluation.ope_log import Log, Policy

EFFECTIVE_ROWS_MIN = 100.0
"""Below it, at click rates of some percent, the estimate rests on a few clicks."""

UNSUPPORTED_MAX = 0.01
"""Share of the policy's choices that the log never made at that position."""

MEAN_DEVIATIONS_MAX = 5.0
"""Standard errors by which the weights' mean may miss 1 before propensities are not believed."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How well the log covers the policy; ``reasons`` to abstain, none when it may be judged.

    ``mean_deviations`` is by how many standard errors the weights' mean misses 1.
    """

    effective_rows: float
    effective_share: float
    mean: float
    mean_deviations: float
    largest: float
    p50: float
    p90: float
    p99: float
    zero_share: float
    clipped_share: float
    propensity_min: float
    unsupported_share: float
    reasons: tuple[str, ...]


def effective_rows(weights: Vector) -> float:
    """Return how many equally weighted rows would be worth as much.

    >>> round(effective_rows(np.array([1.0, 1.0, 2.0])), 2)
    2.67
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0


def overlap(log: Log, policy: Policy, weights: Vector, clip: float | None) -> Overlap:
    """Return the diagnostics of the unclipped weights, with the reasons to abstain."""
    effective = effective_rows(weights)
    error = standard_error(mean_of(weights), log.slates)
    gap = float(weights.mean()) - 1.0
    deviations = 0.0 if abs(gap) < 1e-9 else gap / max(error, 1e-12)
    unsupported = unsupported_share(log, policy)
    p50, p90, p99 = (float(value) for value in np.quantile(weights, (0.5, 0.9, 0.99)))
    return Overlap(
        effective_rows=effective,
        effective_share=effective / len(log),
        mean=float(weights.mean()),
        mean_deviations=deviations,
        largest=float(weights.max()),
        p50=p50,
        p90=p90,
        p99=p99,
        zero_share=float((weights == 0.0).mean()),
        clipped_share=0.0 if clip is None else float((weights > clip).mean()),
        propensity_min=float(log.propensities.min()),
        unsupported_share=unsupported,
        reasons=reasons(effective, unsupported, deviations),
    )


def reasons(effective: float, unsupported: float, deviations: float) -> tuple[str, ...]:
    """Return a sentence for everything that forbids an estimate."""
    found: list[str] = []
    if effective < EFFECTIVE_ROWS_MIN:
        found.append(
            f"the log is worth {effective:.1f} rows for this policy, and at least"
            f" {EFFECTIVE_ROWS_MIN:.0f} are needed"
        )
    if unsupported > UNSUPPORTED_MAX:
        found.append(f"{unsupported:.1%} of the policy's choices never occur in the log")
    if abs(deviations) > MEAN_DEVIATIONS_MAX:
        found.append(
            f"the weights' mean misses 1 by {abs(deviations):.1f} standard errors:"
            " the propensities are not those of the policy that made the log, or it lacks support"
        )
    return tuple(found)


def unsupported_share(log: Log, policy: Policy) -> float:
    """Return how much of the policy goes to items that the log never has at that position."""
    cells = (int(log.positions.max()) + 1) * log.item_count
    seen = np.zeros(cells, dtype=np.bool_)
    seen[cell_of(log, log.positions, log.items)] = True
    missing = 0.0
    for spread in policy.spread() or ():
        known = seen[cell_of(log, log.positions[spread.rows], spread.items)]
        missing += float(spread.probabilities[~known].sum())
    return missing / len(log)


def cell_of(log: Log, positions: Codes, items: Codes) -> Codes:
    """Return one number for a position and an item."""
    return positions * log.item_count + items
