"""Co-visitation: which items the same people meet, counted as it happens.

The idea. When a user acts on an item, the items that he met lately become its companions. Every
(seed, neighbour) pair keeps one forward-decayed **level** (see ``attune.popularity``), so counting
is commutative, a late event does no harm and old company fades with a half-life of a month:

    weight(seed -> item)  = PLACE ** places back + (same sitting: FOLLOWING * PLACE_SITTING ** ...)
    weight(item -> seed)  = PLACE ** places back

Company is mutual, succession is not: within one sitting the step from a seed *to* what came
next weighs more than the way back (a sequel follows its first part). Measured on MovieTweetings,
succession on top of plain company is worth .0025 NDCG@10 overall and .004 for users with a history.

Being met together often says little of two bestsellers, so a pair's count is put over its seed's:

    companionship(seed, item) = count(seed, item) / (count(seed) + PRIOR)

which estimates P(item | seed) and shrinks it while little is known of the seed. For a user, the
companionships of his recent items are summed, each ``RECENT_DECAY`` times its successor's:
decayed transition counts of this kind, with no learning at all, come close to published neural
sequence models (see "Learning" in the docs).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from attune.contract.event import Action
from attune.contract.recommendation import RecentInteraction
from attune.popularity import (
    HALF_LIVES_HOURS,
    LASTING,
    MS_PER_HOUR,
    NOTHING,
    WEIGHTS,
    level,
    reading,
)

HALF_LIFE_HOURS = HALF_LIVES_HOURS[LASTING]

COMPANIONS_MAX = 20
"""Places back that still say something: beyond 20 the gain was below the noise."""

COUNTED_MAX = 5
"""Places back that are counted as it happens: each costs a row in both directions.

On MovieTweetings co-visitation alone ranks at NDCG@10 .1055 with 5, .1089 with 10 and .1100 with
20, for 6, 10 and 15 rows an event. Training, which reads histories in bulk, looks
``COMPANIONS_MAX`` places back."""

PLACE = 0.9
SITTING_MS = 3_600_000
FOLLOWING = 3.0
FOLLOWING_MAX = 3
PLACE_SITTING = 0.7
PRIOR = 3.0
RECENT_DECAY = 0.8


class Neighbour(NamedTuple):
    """``item_id`` was met together with ``seed_id``, this strongly."""

    seed_id: str
    item_id: str
    level: float


def pairs(
    recent: Sequence[RecentInteraction], item_id: str, action: Action, at_ms: int
) -> list[Neighbour]:
    """Return what an interaction adds, to both directions of each pair.

    Args:
        recent: the user's interactions before this one, oldest first.
        item_id: the item now acted on.
        action: what was done; an action without weight adds nothing.
        at_ms: when.

    >>> before = [RecentInteraction("alien", "click", 0)]
    >>> for pair in pairs(before, "aliens", "click", 0):
    ...     print(pair.seed_id, pair.item_id, round(2**pair.level, 2))
    alien aliens 4.0
    aliens alien 1.0
    """
    if action not in WEIGHTS:
        return []
    found: list[Neighbour] = []
    met: set[str] = {item_id}
    for place, past in enumerate(reversed(recent[-COUNTED_MAX:])):
        if past.item_id in met or past.action not in WEIGHTS:
            continue
        met.add(past.item_id)
        company = PLACE**place
        succession = 0.0
        if place < FOLLOWING_MAX and at_ms - past.occurred_at_ms < SITTING_MS:
            succession = FOLLOWING * PLACE_SITTING**place
        forth = level(company + succession, at_ms, HALF_LIFE_HOURS)
        back = level(company, at_ms, HALF_LIFE_HOURS)
        found.append(Neighbour(past.item_id, item_id, forth))
        found.append(Neighbour(item_id, past.item_id, back))
    return found


def companionship(pair_level: float, seed_level: float, now_ms: int) -> float:
    """Return the share of the seed's company that the pair's item is, shrunk by ``PRIOR``.

    Args:
        pair_level: the pair's level.
        seed_level: the seed's popularity level at the half-life ``LASTING``.
        now_ms: the time of reading.

    >>> pair, seed = level(2.0, 0, HALF_LIFE_HOURS), level(5.0, 0, HALF_LIFE_HOURS)
    >>> round(companionship(pair, seed, 0), 6)
    0.25
    """
    if pair_level == NOTHING:
        return 0.0
    seed = 0.0 if seed_level == NOTHING else 2.0 ** reading(seed_level, now_ms, HALF_LIFE_HOURS)
    return 2.0 ** reading(pair_level, now_ms, HALF_LIFE_HOURS) / (seed + PRIOR)


def companions(
    recent_ids: Sequence[str],
    found: Iterable[Neighbour],
    seed_levels: Mapping[str, float],
    now_ms: int,
) -> dict[str, float]:
    """Return how well each neighbour goes with a user's recent items, larger is better.

    Args:
        recent_ids: the user's recent items, latest first.
        found: the pairs that start at them.
        seed_levels: the recent items' levels at the half-life ``LASTING``.
        now_ms: the time of reading.
    """
    scale = now_ms / (HALF_LIFE_HOURS * MS_PER_HOUR)
    # What is the same for all pairs of a seed is worked out once: there are hundreds of pairs.
    factors: dict[str, float] = {}
    for place, seed_id in reversed(list(enumerate(recent_ids))):
        seed = 2.0 ** (seed_levels.get(seed_id, NOTHING) - scale)
        factors[seed_id] = RECENT_DECAY**place / (seed + PRIOR)
    scores: dict[str, float] = {}
    for seed_id, item_id, pair_level in found:
        share = factors.get(seed_id, 0.0) * 2.0 ** (pair_level - scale)
        scores[item_id] = scores.get(item_id, 0.0) + share
    return scores
