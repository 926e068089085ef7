"""Slate assembly: from scored candidates to an ordered slate with exact propensities.

Every position is one decision. The score of candidate i is the mission's mix

    final_i = (1 - epsilon) * base_i + epsilon * sampled_i

where ``base_i`` is the scorer's probability, discounted for how often the item was shown lately and
for how much it repeats what stands above, and ``sampled_i`` a draw from its click-rate posterior.
The item is drawn from the exact distribution of that maximum (see ``attune.thompson``), so its
propensity, given the positions above, is known. Where the posteriors know so little that more than
``exploration_max`` would go to others than the greedy choice, their probabilities are scaled down
to it: a slate is never turned into a lottery, not even by the first visitor of an empty shop.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from attune.diversity import Redundancy
from attune.posterior import Beta
from attune.thompson import Arm, drawn, matching_probabilities

CONTENDERS_MAX = 8
"""Candidates that compete for a position: those with the highest optimistic scores. More change
the probabilities by less than the quadrature does, and the cost grows with their square."""

OPTIMISM_DEVIATIONS = 2.0
"""Contenders are picked by mean plus two deviations, so that uncertain items get in."""

SHORTLIST_FACTOR = 3
"""Diversity is worked out for the best 3 n candidates by score: the rest are never reached."""

PROPENSITY_MIN = 1e-6
"""A drawn item's propensity is logged with six decimals and is never written down as zero."""


@dataclass(frozen=True, slots=True)
class Option:
    """One candidate as slate assembly sees it."""

    index: int
    base: float
    belief: Beta
    code: Sequence[int]
    exposures: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of the assembly, from the policy snapshot.

    ``exploration_max`` is the largest probability with which a position may go to another than
    the greedy choice.
    """

    epsilon: float
    diversity: float
    exposure_discount: float
    exploration_max: float = 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What was put at one position.

    ``score`` is the expected final score; ``explored`` says that it was not the greedy choice;
    ``explore_probability`` that of any but the greedy one.
    """

    index: int
    score: float
    propensity: float
    explored: bool
    explore_probability: float


def assembled(options: Sequence[Option], n: int, rules: Rules, seed: int) -> list[Choice]:
    """Return the choices for positions 0 to n - 1, fewer when the options run out.

    Args:
        options: the eligible candidates; an index may stand only once.
        n: positions to fill.
        rules: the settings.
        seed: the only source of randomness: the same seed and options give the same slate.

    >>> options = [Option(i, base, Beta(2, 38), [127, i]) for i, base in enumerate((.9, .5, .1))]
    >>> [choice.index for choice in assembled(options, 3, Rules(0.0, 0.0, 1.0), seed=7)]
    [0, 1, 2]
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose, guards nothing
    shortlist = _shortlist(options, n, rules)
    scale = _click_scale(shortlist) * (1.0 - rules.epsilon)
    centers = [scale * discounted_base(option, rules) for option in shortlist]
    expected = [rules.epsilon * option.belief.mean for option in shortlist]
    deviations = [rules.epsilon * math.sqrt(option.belief.variance) for option in shortlist]
    redundancy = Redundancy([option.code for option in shortlist])
    remaining = list(range(len(shortlist)))
    choices: list[Choice] = []
    while remaining and len(choices) < n:
        rivals = [
            _Rival(
                place=place,
                center=center,
                mean=center + expected[place],
                optimistic=center + expected[place] + OPTIMISM_DEVIATIONS * deviations[place],
            )
            for place in remaining
            for center in (centers[place] * redundancy.factor(place, rules.diversity),)
        ]
        place, choice = _chosen(shortlist, rivals, rules, rng)
        choices.append(choice)
        remaining.remove(place)
        redundancy.choose(place)
    return choices


class _Rival(NamedTuple):
    """A candidate's standing in the contest for one position."""

    place: int
    center: float
    mean: float
    optimistic: float


def exploration_rate(choices: Sequence[Choice]) -> float:
    """Return the expected share of positions not given to the greedy choice."""
    if not choices:
        return 0.0
    return math.fsum(choice.explore_probability for choice in choices) / len(choices)


def _chosen(
    shortlist: Sequence[Option], rivals: Sequence[_Rival], rules: Rules, rng: random.Random
) -> tuple[int, Choice]:
    """Draw one place of the shortlist."""
    greedy = max(rivals, key=attrgetter("mean"))
    contenders = heapq.nlargest(CONTENDERS_MAX, rivals, key=attrgetter("optimistic"))
    if greedy not in contenders:
        contenders[-1] = greedy
    arms = [Arm(rival.center, shortlist[rival.place].belief) for rival in contenders]
    best = contenders.index(greedy)
    probabilities = capped(matching_probabilities(arms, rules.epsilon), best, rules.exploration_max)
    winner = drawn(probabilities, rng.random())
    won = contenders[winner]
    choice = Choice(
        index=shortlist[won.place].index,
        score=won.mean,
        propensity=max(probabilities[winner], PROPENSITY_MIN),
        explored=won is not greedy,
        explore_probability=1.0 - probabilities[best],
    )
    return won.place, choice


def capped(probabilities: Sequence[float], greedy: int, exploration_max: float) -> list[float]:
    """Return the distribution with at most ``exploration_max`` on others than the greedy choice.

    >>> [round(p, 3) for p in capped([0.4, 0.4, 0.2], 0, 0.15)]
    [0.85, 0.1, 0.05]
    """
    explored = 1.0 - probabilities[greedy]
    if explored <= exploration_max:
        return list(probabilities)
    factor = exploration_max / explored
    scaled = [probability * factor for probability in probabilities]
    scaled[greedy] = 1.0 - exploration_max
    return scaled


def discounted_base(option: Option, rules: Rules) -> float:
    """Return the base score after impression discounting: each showing costs a fixed factor.

    Lee et al., "Modeling Impression Discounting in Large-scale Recommender Systems", 2014.
    """
    return option.base * rules.exposure_discount**option.exposures


def _shortlist(options: Sequence[Option], n: int, rules: Rules) -> list[Option]:
    """Return the best by base score, and as many by what their posterior promises."""
    size = SHORTLIST_FACTOR * n
    if len(options) <= size:
        return list(options)
    promising = n if rules.epsilon > 0.0 else 0
    best = heapq.nlargest(size - promising, options, key=lambda o: discounted_base(o, rules))
    taken = {option.index for option in best}
    rest = [option for option in options if option.index not in taken]
    return best + heapq.nlargest(
        promising,
        rest,
        key=lambda o: o.belief.mean + OPTIMISM_DEVIATIONS * math.sqrt(o.belief.variance),
    )


def _click_scale(shortlist: Sequence[Option]) -> float:
    """Return the factor that brings base scores to the posteriors' scale, that of click rates.

    A scorer trained with a listwise loss orders well but is not calibrated; mixing needs both
    parts on one scale, and a factor leaves the order alone.
    """
    base = math.fsum(option.base for option in shortlist)
    rates = math.fsum(option.belief.mean for option in shortlist)
    return rates / base if base > 0.0 else 1.0
