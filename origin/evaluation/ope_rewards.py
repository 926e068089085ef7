"""A reward model for off-policy evaluation: what an item earns at a position in a context.

A logistic regression with one effect per item, per position and per value of each context column,
fitted by Newton's method with a ridge penalty. It is deliberately simple: doubly robust estimators
need no right model, only one that explains some of the variance. Each row is predicted by a model
that never saw its slate (cross-fitting; Chernozhukov et al., 2018), else its errors would cancel
the very correction that makes the estimate honest.
"""

# scipy.sparse has no types of its own: what it returns is checked where it becomes an array.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.special import expit

from origin.evaluation.intervals import Vector
from origin.evaluation.ope_log import Log, Policy

FOLDS = 3
RIDGE = 1.0
"""Precision of the effects' prior: most lie within one logit of the mean."""

ITEM_EFFECTS_MAX = 400
"""Items with an effect of their own, the most logged; a Newton step costs the cube of this."""

NEWTON_STEPS = 12


@dataclass(frozen=True, slots=True)
class Predictions:
    """What the model expects, (N,) each: of the logged item, and of the policy's choice."""

    logged: Vector
    policy: Vector


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each effect stands among the model's weights."""

    item_place: NDArray[np.int64]  # (A,)
    position_from: int
    context_from: NDArray[np.int64]  # (C,)
    size: int


def predicted_rewards(log: Log, policy: Policy, seed: int) -> Predictions | None:
    """Return cross-fitted predictions; None when the policy's full distribution is not known."""
    if policy.spread() is None:
        return None
    columns = columns_of(log)
    fold_of_slate = np.random.default_rng(seed).permutation(int(log.slates.max()) + 1) % FOLDS
    fold = fold_of_slate[log.slates]
    weights = np.stack([fitted(log, columns, fold != k) for k in range(FOLDS)])  # (F, D)
    base = base_logits(log, columns, weights, fold)
    effects = weights[:, columns.item_place]  # (F, A)
    expected = np.zeros(len(log))
    for spread in policy.spread() or ():
        rates = expit(base[spread.rows] + effects[fold[spread.rows], spread.items])
        expected += np.bincount(spread.rows, rates * spread.probabilities, minlength=len(log))
    return Predictions(expit(base + effects[fold, log.items]), expected)


def columns_of(log: Log) -> Columns:
    """Return the places: items first (the rare ones share the last), then position, context."""
    counts = np.bincount(log.items, minlength=log.item_count)
    kept = np.argsort(-counts, kind="stable")[:ITEM_EFFECTS_MAX]
    item_place = np.full(log.item_count, len(kept))
    item_place[kept] = np.arange(len(kept))
    position_from = len(kept) + 1
    levels = [int(log.contexts[:, c].max()) + 1 for c in range(log.contexts.shape[1])]
    starts = position_from + int(log.positions.max()) + 1 + np.cumsum([0, *levels])
    return Columns(item_place, position_from, starts[:-1].astype(np.int64), int(starts[-1]) + 1)


def fitted(log: Log, columns: Columns, inside: NDArray[np.bool_]) -> Vector:
    """Return the weights that explain these rows, (D,); the last one is the intercept."""
    places = np.column_stack(
        [
            columns.item_place[log.items],
            columns.position_from + log.positions,
            columns.context_from + log.contexts,
            np.full(len(log), columns.size - 1),
        ]
    )[inside]
    rewards = log.rewards[inside]
    rows = np.repeat(np.arange(len(places)), places.shape[1])
    shape = (len(places), columns.size)
    design: Any = sparse.csr_matrix((np.ones(places.size), (rows, places.ravel())), shape=shape)
    ridge = np.full(columns.size, RIDGE)
    ridge[-1] = 1e-6
    weights = np.zeros(columns.size)
    mean = min(max(float(rewards.mean()), 1e-6), 1.0 - 1e-6) if len(rewards) else 0.5
    weights[-1] = np.log(mean / (1.0 - mean))
    for _ in range(NEWTON_STEPS):
        rates = expit(design @ weights)
        gradient = design.T @ (rewards - rates) - ridge * weights
        curved = design.multiply((rates * (1.0 - rates))[:, None])
        hessian = np.asarray((design.T @ curved).todense()) + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-8:
            break
    return weights


def base_logits(
    log: Log, columns: Columns, weights: NDArray[np.float64], fold: NDArray[np.int64]
) -> Vector:
    """Return each row's logit without its item, (N,)."""
    logits = weights[fold, -1] + weights[fold, columns.position_from + log.positions]
    for c, start in enumerate(columns.context_from):
        logits = logits + weights[fold, start + log.contexts[:, c]]
    return logits
