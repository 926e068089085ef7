"""Company and content in one embedding: who met an item counts the more, the more did."""

import numpy as np
from numpy.typing import NDArray

USERS_HALF = 5.0
"""Interactions from which on company counts more than content."""


def blended_embeddings(
    learned: NDArray[np.float64], support: NDArray[np.float64], content: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return unit rows (N, 64): company by its share, content by the rest.

    Args:
        learned: the embeddings from company, zero for an item without any: (N, 64).
        support: how many interactions each item had: (N,).
        content: the embeddings from content, zero where there is none: (N, 64).

    >>> company, words = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> blended_embeddings(company, np.array([5.0]), words).round(4).tolist()
    [[0.7071, 0.7071]]
    """
    share = np.where(learned.any(axis=1), support / (support + USERS_HALF), 0.0)[:, None]
    mixed = share * learned + (1.0 - share) * content
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.divide(mixed, lengths, out=np.zeros_like(mixed), where=lengths > 1e-9)
