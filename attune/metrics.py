"""Ranking metrics over the full catalogue: NDCG, hit rate, reciprocal rank, recall.

Ranks count from 0. Sampled-negative variants are left out on purpose: they order methods
differently from the full catalogue (Krichene & Rendle, "On Sampled Metrics for Item
Recommendation", 2020).
"""

import math
from collections.abc import Collection, Sequence


def rank_of(target: str, ranking: Sequence[str], k: int) -> int | None:
    """Return the target's rank within the first ``k``, or None: a miss.

    >>> rank_of("b", ["a", "b", "c"], 10)
    1
    """
    for rank, item_id in enumerate(ranking[:k]):
        if item_id == target:
            return rank
    return None


def ndcg_of_rank(rank: int | None) -> float:
    """Return NDCG when one item is relevant: ``1 / log2(rank + 2)``, 0 for a miss.

    >>> ndcg_of_rank(0), round(ndcg_of_rank(1), 4), ndcg_of_rank(None)
    (1.0, 0.6309, 0.0)
    """
    return 0.0 if rank is None else 1.0 / math.log2(rank + 2)


def ndcg(relevant: Collection[str], ranking: Sequence[str], k: int) -> float:
    """Return NDCG@k with binary relevance (Järvelin & Kekäläinen, 2002).

    >>> round(ndcg({"a", "c"}, ["a", "b", "c"], 3), 4)
    0.9197
    """
    gain = math.fsum(
        1.0 / math.log2(rank + 2) for rank, item in enumerate(ranking[:k]) if item in relevant
    )
    ideal = math.fsum(1.0 / math.log2(rank + 2) for rank in range(min(len(relevant), k)))
    return gain / ideal if ideal > 0.0 else 0.0


def hit_rate(relevant: Collection[str], ranking: Sequence[str], k: int) -> float:
    """Return 1 when any relevant item is within the first ``k``, else 0.

    >>> hit_rate({"c"}, ["a", "b", "c"], 2)
    0.0
    """
    return 1.0 if any(item in relevant for item in ranking[:k]) else 0.0


def reciprocal_rank(relevant: Collection[str], ranking: Sequence[str]) -> float:
    """Return 1 over the place (from 1) of the first relevant item, 0 where there is none.

    >>> reciprocal_rank({"b"}, ["a", "b", "c"])
    0.5
    """
    for rank, item in enumerate(ranking):
        if item in relevant:
            return 1.0 / (rank + 1)
    return 0.0


def recall(relevant: Collection[str], ranking: Sequence[str], k: int) -> float:
    """Return the share of the relevant items that stand within the first ``k``.

    >>> recall({"a", "z"}, ["a", "b", "c"], 3)
    0.5
    """
    if not relevant:
        return 0.0
    return sum(1 for item in ranking[:k] if item in relevant) / len(relevant)
