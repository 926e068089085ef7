"""Item embeddings from company: 64 numbers per item, from who met what around the same time.

The idea. Items that the same users meet close together should point the same way. Count the pairs
(each ``PLACE`` times less per place between them), turn counts into positive pointwise mutual
information, which asks how much more often than chance a pair occurs,

    ppmi(a, b) = max(0, log(count(a, b) * total / (count(a) * count(b) ** 0.75)))

and factorise: the leading singular vectors of that sparse matrix are what word2vec approximates by
sampling (Levy & Goldberg, "Neural Word Embedding as Implicit Matrix Factorization", NIPS 2014),
here exactly and in seconds on one core. The 0.75 keeps rare items from looking special.

A fresh factorisation turns the whole space, which would make every stored user embedding
meaningless. So it is rotated back onto the one before (orthogonal Procrustes): users stay where
they are while items move beneath them.
"""

# scipy.sparse has no types of its own: what it returns is checked where it becomes an array.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.covisitation import COMPANIONS_MAX, PLACE
from origin.storage.port import Embedding

Matrix = NDArray[np.float64]
Sparse = Any

OVERSAMPLING = 16
"""Extra columns of the randomised factorisation; its error falls with them (Halko et al., 2011)."""

ITERATIONS = 4
ITERATIONS_WARM = 1
"""Power iterations from noise, and from the factors of the day before, which are nearly right."""


@dataclass(frozen=True, slots=True)
class Histories:
    """Who met what, as parallel columns of one length, each user's in the order of time.

    ``users`` and ``items`` are indices; ``items_count`` is the catalogue's size.
    """

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    items_count: int


def collaborative_embeddings(
    histories: Histories, before: Matrix | None = None, seed: int = 0
) -> Matrix:
    """Return a unit row per item, all zero for an item without company: (items_count, 64).

    Args:
        histories: the interactions.
        before: the embeddings of the last time, for the first of these items: the start of the
            factorisation and the orientation of its result.
        seed: of the randomised factorisation.
    """
    information = _ppmi(_pair_counts(histories))
    factors = _factors(information, before, np.random.default_rng(seed))
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    unit = np.divide(factors, lengths, out=np.zeros_like(factors), where=lengths > 1e-9)
    return unit if before is None else _aligned(unit, before)


def named(matrix: Matrix, item_ids: Mapping[str, int]) -> dict[str, Embedding]:
    """Return the rows that are not zero under their items' ids, as float32."""
    single = matrix.astype(np.float32)
    return {item_id: single[row] for item_id, row in item_ids.items() if single[row].any()}


def _pair_counts(histories: Histories) -> Sparse:
    """Return symmetric weighted counts of pairs at most ``COMPANIONS_MAX`` places apart."""
    order = np.argsort(histories.users, kind="stable")
    users, items = histories.users[order], histories.items[order]
    size = histories.items_count
    firsts: list[NDArray[np.int64]] = []
    seconds: list[NDArray[np.int64]] = []
    weights: list[Matrix] = []
    for places in range(1, COMPANIONS_MAX + 1):
        same = (users[:-places] == users[places:]) & (items[:-places] != items[places:])
        firsts.append(items[:-places][same])
        seconds.append(items[places:][same])
        weights.append(np.full(int(same.sum()), PLACE ** (places - 1)))
    flat = (np.concatenate(firsts), np.concatenate(seconds))
    half = sparse.coo_matrix((np.concatenate(weights), flat), shape=(size, size)).tocsr()
    return (half + half.T).tocsr()


def _ppmi(counts: Sparse) -> Sparse:
    entries = counts.tocoo()
    totals = np.asarray(counts.sum(axis=1)).ravel()
    smoothed = np.power(totals, 0.75)
    chance = totals[entries.row] * smoothed[entries.col] / max(smoothed.sum(), 1e-12)
    information = np.log(entries.data / chance)
    kept = information > 0
    flat = (entries.row[kept], entries.col[kept])
    return sparse.coo_matrix((information[kept], flat), shape=counts.shape).tocsr()


def _factors(information: Sparse, before: Matrix | None, generator: np.random.Generator) -> Matrix:
    """Return U * sqrt(S) of the leading singular triples: (items, 64)."""
    size = information.shape[0]
    basis = generator.standard_normal((size, EMBEDDING_DIMENSION + OVERSAMPLING))
    if before is not None:
        basis *= 0.01
        basis[: len(before), :EMBEDDING_DIMENSION] += before
    rounds = ITERATIONS if before is None else ITERATIONS_WARM
    for _ in range(rounds + 1):
        basis, _ = np.linalg.qr(information @ (information.T @ basis))  # (I, K)
    small = (information.T @ basis).T  # (K, I)
    left, values, _ = np.linalg.svd(small @ small.T)
    leading = left[:, :EMBEDDING_DIMENSION] * np.power(values[:EMBEDDING_DIMENSION], 0.25)
    factors = np.zeros((size, EMBEDDING_DIMENSION))
    factors[:, : leading.shape[1]] = basis @ leading
    return factors


def _aligned(unit: Matrix, before: Matrix) -> Matrix:
    """Return the rows turned onto those of before (Schönemann's orthogonal Procrustes, 1966)."""
    left, _, right = np.linalg.svd(unit[: len(before)].T @ before)
    return unit @ (left @ right)
