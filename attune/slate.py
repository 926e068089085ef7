"""Slate assembly: from scored candidates to an ordered slate with exact propensities.

Every position is one decision. The score of candidate i is the mission's mix

    final_i = (1 - epsilon) * base_i + epsilon * sampled_i

where ``base_i`` is the scorer's probability, discounted for how often the item was shown lately and
for how much it repeats what stands above, and ``sampled_i`` a draw from its click-rate posterior.
The item is drawn from the distribution of that maximum (see ``attune.thompson``), so its
propensity, given the positions above, is known. Where the posteriors know so little that more than
``exploration_max`` would go to others than the greedy choice, their probabilities are scaled down
to it: a slate is never turned into a lottery, not even by the first visitor of an empty shop.

The work is lazy. A score is highest before anything stands above it, so candidates wait in the
order of that bound, and only those that the bound lets into a position's contest are looked at.
Scores are kept in units of a click rate (divided by epsilon), in which posteriors never change.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from operator import add
from typing import NamedTuple

from attune.beliefs import Beliefs
from attune.diversity import UNKNOWN, Similarities
from attune.thompson import Placed, Spread, drawn, leading_probability, matched

CONTENDERS_MAX = 8
"""Candidates that compete for a position: those with the highest optimistic scores. More change
the probabilities by less than the quadrature does, and the cost grows with their square."""

OPTIMISM_DEVIATIONS = 2.0
"""Contenders are picked by mean plus two deviations, so that uncertain items get in."""

REACH_DEVIATIONS = 4.0
"""A rival whose score, so far above its mean, is still below the leader's so far under its own,
cannot win: both at once happens less than once in a million times."""

SHORTLIST_FACTOR = 3
"""Contenders come from the best 3 n candidates by optimistic score: the rest are never reached."""

PROPENSITY_MIN = 1e-6
"""A drawn item's propensity is logged with six decimals and is never written down as zero."""


NEVER = float("-inf")


class Rules(NamedTuple):
    """Settings of the assembly, from the policy snapshot.

    ``exploration_max`` is the largest probability with which a position may go to another than
    the greedy choice.
    """

    epsilon: float
    diversity: float
    exposure_discount: float
    exploration_max: float = 1.0


@dataclass(frozen=True, slots=True)
class Pool:
    """What a slate is drawn from.

    ``eligible`` are places in the columns of ``beliefs``, ``similarities`` and ``exposures``;
    ``bases`` holds one probability for each of them, in that order.
    """

    eligible: Sequence[int]
    bases: Sequence[float]
    beliefs: Beliefs
    similarities: Similarities
    exposures: Sequence[int]


class Choice(NamedTuple):
    """What was put at one position.

    ``place`` is one in the columns; ``score`` the expected final score; ``explored`` says that
    it was not the greedy choice; ``explore_probability`` is that of any but the greedy one.
    """

    place: int
    score: float
    propensity: float
    explored: bool
    explore_probability: float


def assembled(pool: Pool, n: int, rules: Rules, seed: int) -> list[Choice]:
    """Return the choices for positions 0 to n - 1, fewer when the candidates run out.

    Args:
        pool: the candidates; none of them stands twice.
        n: positions to fill.
        rules: the settings.
        seed: the only source of randomness: the same seed and pool give the same slate.

    >>> pool = Pool(range(3), (0.9, 0.5, 0.1), Beliefs([(2.0, 38.0)] * 3), Similarities([[1]] * 3),
    ...             bytes(3))
    >>> [choice.place for choice in assembled(pool, 3, Rules(0.0, 0.0, 1.0), seed=7)]
    [0, 1, 2]
    """
    if not pool.eligible:
        return []
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose, guards nothing
    contest = Contest(pool, n, rules)
    positions = min(n, len(pool.eligible))
    return [contest.decided(rng.random()) for _ in range(positions)]


def exploration_rate(choices: Sequence[Choice]) -> float:
    """Return the expected share of positions not given to the greedy choice."""
    if not choices:
        return 0.0
    return math.fsum(choice.explore_probability for choice in choices) / len(choices)


class Contest:
    """The candidates between two positions: how each stands, given what is placed already.

    All lists run parallel to ``pool.eligible``; a *slot* is a place in them.
    """

    def __init__(self, pool: Pool, n: int, rules: Rules) -> None:
        self._pool = pool
        self._rules = rules
        self._explores = rules.epsilon > 0.0
        self._diversity = rules.diversity
        self._cosines = pool.similarities.matrix()
        self._unit = rules.epsilon if self._explores else 1.0
        self._centers = _centers(pool, rules, self._unit)
        means, deviations = pool.beliefs.means, pool.beliefs.deviations
        self._deviations = [deviations[index] for index in pool.eligible]
        self._means = (
            [means[index] for index in pool.eligible]
            if self._explores
            else [0.0] * len(self._deviations)
        )
        self._known = self._centers.copy()
        self._bounds = list(map(add, self._centers, self._means))
        self._scores = self._bounds.copy()
        self._largest = [0.0] * len(self._scores)
        self._seen = [0] * len(self._scores)
        self._placed: list[int] = []
        slots = range(len(self._scores))
        self.remaining = sorted(slots, key=self._bounds.__getitem__, reverse=True)
        self._hopes: list[float] = []
        self._hopeful: list[int] = []
        if self._explores:
            pairs = zip(self._bounds, self._deviations, strict=True)
            self._hopes = [bound + OPTIMISM_DEVIATIONS * deviation for bound, deviation in pairs]
            hopeful = sorted(slots, key=self._hopes.__getitem__, reverse=True)
            self._hopeful = hopeful[: SHORTLIST_FACTOR * n]

    def decided(self, uniform: float) -> Choice:
        """Put at the next position what one uniform number in [0, 1) falls on; return it."""
        leader = self._leader()
        rivals = self._rivals(leader) if self._explores else []
        lead = 1.0
        if rivals:
            known = self._known
            center, spreads = known[leader], self._spreads([leader, *rivals])
            handicaps = [center - known[slot] for slot in rivals]
            lead = leading_probability(
                spreads[0],
                list(zip(handicaps, spreads[1:], strict=True)),
                1.0 - self._rules.exploration_max,
            )
        won, propensity = leader, lead
        if uniform >= lead:
            won, share = self._explored(leader, rivals, (uniform - lead) / (1.0 - lead))
            propensity = (1.0 - lead) * share
        self._take_out(won)
        return Choice(
            place=self._pool.eligible[won],
            score=self._scores[won] * self._unit,
            propensity=max(propensity, PROPENSITY_MIN),
            explored=won != leader,
            explore_probability=1.0 - lead,
        )

    def _leader(self) -> int:
        """Return the slot with the highest expected score: the greedy choice."""
        bounds, scores, seen, placed = self._bounds, self._scores, self._seen, len(self._placed)
        best, leader = NEVER, -1
        for slot in self.remaining:
            if bounds[slot] <= best:
                break
            score = scores[slot] if seen[slot] == placed else self._refreshed(slot)
            if score > best:
                best, leader = score, slot
        return leader

    def _rivals(self, leader: int) -> list[int]:
        """Return the contenders that may come out above the leader, the most hopeful first."""
        scores, hopes, deviations = self._scores, self._hopes, self._deviations
        seen, placed = self._seen, len(self._placed)
        low = scores[leader] - REACH_DEVIATIONS * deviations[leader]
        rivals: list[int] = []
        for slot in self._hopeful[:CONTENDERS_MAX]:
            deviation = deviations[slot]
            if scores[slot] + REACH_DEVIATIONS * deviation <= low or slot == leader:
                continue
            score = scores[slot] if seen[slot] == placed else self._refreshed(slot)
            hopes[slot] = score + OPTIMISM_DEVIATIONS * deviation
            rivals.append(slot)
        # Nearly in order already: those looked at may have to let others pass.
        self._hopeful.sort(key=hopes.__getitem__, reverse=True)
        return rivals

    def _explored(self, leader: int, rivals: list[int], uniform: float) -> tuple[int, float]:
        """Return which rival a draw falls on that missed the leader, and the rival's share."""
        slots, known = [leader, *rivals], self._known
        shares = matched(
            [self._scores[slot] for slot in slots],
            [self._deviations[slot] for slot in slots],
            [
                Placed(spread.table, spread.cells_per_unit, -known[slot] - spread.low)
                for slot, spread in zip(slots, self._spreads(slots), strict=True)
            ],
        )[1:]
        total = math.fsum(shares)
        if total <= 0.0:
            return rivals[0], 1.0
        shares = [share / total for share in shares]
        drawn_rival = drawn(shares, uniform)
        return rivals[drawn_rival], shares[drawn_rival]

    def _take_out(self, slot: int) -> None:
        self._placed.append(self._pool.eligible[slot])
        self.remaining.remove(slot)
        if slot in self._hopeful:
            self._hopeful.remove(slot)

    def _spreads(self, slots: Sequence[int]) -> list[Spread]:
        """Return the tables of some posteriors."""
        beliefs, eligible = self._pool.beliefs, self._pool.eligible
        made = beliefs.spreads
        return [made[eligible[slot]] or beliefs.spread(eligible[slot]) for slot in slots]

    def _refreshed(self, slot: int) -> float:
        """Bring a score up to date with what has been placed, and return it."""
        index, placed, largest = self._pool.eligible[slot], self._placed, self._largest[slot]
        cosines, width = self._cosines
        start = index * width
        for other in placed[self._seen[slot] :]:
            cosine = cosines[start + other]
            if cosine == UNKNOWN:
                cosine = self._pool.similarities.fill(index, other)
            if cosine > largest:
                largest = cosine
        self._seen[slot] = len(placed)
        if largest != self._largest[slot]:
            self._largest[slot] = largest
            known = self._centers[slot] * (1.0 - self._diversity * largest)
            self._known[slot] = known
            self._scores[slot] = known + self._means[slot]
        return self._scores[slot]


def _centers(pool: Pool, rules: Rules, unit: float) -> list[float]:
    """Return the known parts of the scores, on the posteriors' scale and in units of a rate.

    A scorer trained with a listwise loss orders well but is not calibrated; mixing needs both parts
    on one scale, that of click rates, and a factor leaves the order alone. Impression discounting:
    each showing costs a fixed factor (Lee et al., "Modeling Impression Discounting in Large-scale
    Recommender Systems", 2014).
    """
    means, exposures = pool.beliefs.means, pool.exposures
    bases = math.fsum(pool.bases)
    rates = math.fsum([means[index] for index in pool.eligible])
    scale = (rates / bases if bases > 0.0 else 1.0) * (1.0 - rules.epsilon) / unit
    most = max(exposures)
    if most == 0:
        return [base * scale for base in pool.bases]
    factors = [scale * rules.exposure_discount**shown for shown in range(most + 1)]
    return [
        base * factors[exposures[index]]
        for index, base in zip(pool.eligible, pool.bases, strict=True)
    ]
