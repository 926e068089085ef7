"""Simulated visitors: tastes that shift, and clicks whose probabilities are known exactly.

A visitor has a taste, a unit vector over the items' latent factors. A visit starts with an intent:
part taste, part the errand of the day. What is clicked pulls the intent along, and each visit
leaves its trace in the taste, so yesterday's favourite is not today's.

A shown item is clicked independently of the others, with probability

    P(click | item i, position k, time t) = examined(k) * sigmoid(bias + slope * <intent, factors_i>
                                             + quality_i + trend(category_i, t))

so the best slate is the most attractive items in falling order, its expected clicks are a sum, and
the regret of any other slate is a difference of two known numbers. No learner sees these.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy
from numpy.typing import NDArray

from attune.context import Context
from origin.dataset.storefront import DAY_MS, Storefront, Vector, unit

BIAS, SLOPE = -5.2, 4.6  # a random item is clicked in 1.5 % of looks, the best one in about 30 %
TREND, TREND_DAYS = 0.45, 28.0  # categories come into season and out of it, in logits and days
ERRAND_SHARE = 1.1  # how much of a visit's intent is the day's errand; the taste counts 1
PULL_OF_A_CLICK = 0.22
TRACE_OF_A_VISIT = 0.12
WANDERING = 0.05

DEVICES = ("mobile", "desktop", "tablet")
REGIONS = ("DE", "FR", "GB", "US", "JP", "BR")


@dataclass(slots=True)
class Visitor:
    """Somebody who comes back; the taste changes with every visit."""

    user_id: str
    taste: Vector
    device: str
    region: str
    local_hour: int


@dataclass(slots=True)
class Visit:
    """One visit: what the visitor is after now, and what was shown and taken already."""

    visitor: Visitor
    intent: Vector
    context: Context
    now_ms: int
    taken: set[int] = field(default_factory=set[int])


@dataclass(frozen=True, slots=True)
class Response:
    """What a visitor did with a slate: the clicked positions, and the clicks to be expected."""

    clicked: tuple[int, ...]
    expected_clicks: float
    regret: float


class Environment:
    """A storefront with its visitors: a world in which the optimum is known."""

    def __init__(self, storefront: Storefront, visitors: int, seed: int) -> None:
        self.storefront = storefront
        self.seed = seed
        self._noise = numpy.random.default_rng(seed)
        tastes = unit(self._noise.standard_normal((visitors, storefront.factors.shape[1])))
        self.visitors = [self._visitor(number, taste) for number, taste in enumerate(tastes)]
        self._season = self._noise.uniform(0.0, 1.0, max(storefront.categories) + 1)
        self._categories = numpy.array(storefront.categories)

    def begin_visit(self, visitor: Visitor, now_ms: int) -> Visit:
        """Return a new visit: its intent is the taste, bent towards an errand."""
        errand = self.storefront.factors[self._noise.integers(len(self.storefront.items))]
        intent = unit(visitor.taste + ERRAND_SHARE * errand)
        category = self.storefront.items[self._best(intent, now_ms)].category
        hour = int(visitor.local_hour + self._noise.integers(-2, 3)) % 24
        context = Context(visitor.device, visitor.region, hour, category.casefold())
        return Visit(visitor, intent, context, now_ms)

    def end_visit(self, visit: Visit) -> None:
        """Let the visit leave its trace in the visitor's taste."""
        visitor = visit.visitor
        wandering = WANDERING * self._noise.standard_normal(len(visit.intent))
        visitor.taste = unit(visitor.taste + TRACE_OF_A_VISIT * visit.intent + wandering)

    def attraction(self, visit: Visit) -> Vector:
        """Return for every item the probability of a click on it if it is looked at, (N,)."""
        return self._attraction(visit.intent, visit.now_ms)

    def click_probability(self, visit: Visit, item_id: str, position: int) -> float:
        """Return the probability that the item is clicked at the position."""
        row = self.storefront.index[item_id]
        return float(self.attraction(visit)[row] * examined(position))

    def optimal_slate(self, visit: Visit, n: int) -> list[str]:
        """Return the slate with the most expected clicks among items not taken yet, best first."""
        rows = self._optimal_rows(self.attraction(visit), visit.taken, n)
        return [self.storefront.items[int(row)].item_id for row in rows]

    def expected_clicks(self, visit: Visit, slate: Sequence[str]) -> float:
        """Return the expected number of clicks on a slate."""
        rows = [self.storefront.index[item_id] for item_id in slate]
        return expected(self.attraction(visit), rows)

    def regret(self, visit: Visit, slate: Sequence[str]) -> float:
        """Return how many clicks the slate is expected to miss against the optimal one."""
        attraction = self.attraction(visit)
        best = self._optimal_rows(attraction, visit.taken, len(slate))
        rows = [self.storefront.index[item_id] for item_id in slate]
        return expected(attraction, best) - expected(attraction, rows)

    def respond(self, visit: Visit, slate: Sequence[str]) -> Response:
        """Return what the visitor does with the slate; clicks pull the visit's intent along."""
        attraction = self.attraction(visit)
        rows = [self.storefront.index[item_id] for item_id in slate]
        best = self._optimal_rows(attraction, visit.taken, len(rows))
        looks = attraction[rows] * numpy.array([examined(place) for place in range(len(rows))])
        clicked = numpy.flatnonzero(self._noise.random(len(rows)) < looks)
        for place in clicked:
            factors = self.storefront.factors[rows[place]]
            visit.intent = unit((1 - PULL_OF_A_CLICK) * visit.intent + PULL_OF_A_CLICK * factors)
            visit.taken.add(rows[place])
        clicks, optimum = expected(attraction, rows), expected(attraction, best)
        return Response(tuple(int(place) for place in clicked), clicks, optimum - clicks)

    def _visitor(self, number: int, taste: Vector) -> Visitor:
        """Return a visitor with a device, a region and an hour of their own."""
        device = DEVICES[self._noise.choice(3, p=(0.62, 0.31, 0.07))]
        region = REGIONS[self._noise.integers(len(REGIONS))]
        hour = int(self._noise.choice((9, 13, 19, 21), p=(0.2, 0.2, 0.35, 0.25)))
        return Visitor(f"visitor-{number:05d}", taste, device, region, hour)

    def _attraction(self, intent: Vector, now_ms: int) -> Vector:
        """Return the probability of a click on each item that is looked at."""
        turn = 2 * math.pi * (now_ms / DAY_MS / TREND_DAYS + self._season)
        trend = TREND * numpy.sin(turn)[self._categories]
        logits = BIAS + SLOPE * (self.storefront.factors @ intent) + self.storefront.quality + trend
        return 1.0 / (1.0 + numpy.exp(-logits))

    def _best(self, intent: Vector, now_ms: int) -> int:
        """Return the row of the most attractive item."""
        return int(numpy.argmax(self._attraction(intent, now_ms)))

    def _optimal_rows(self, attraction: Vector, taken: set[int], n: int) -> NDArray[numpy.intp]:
        """Return the rows of the n most attractive items that are not taken, best first."""
        open_to = attraction.copy()
        open_to[list(taken)] = -1.0
        return numpy.argsort(-open_to, kind="stable")[:n]


def examined(position: int) -> float:
    """Return the probability that a position of a slate is looked at.

    >>> [round(examined(position), 2) for position in (0, 1, 7)]
    [1.0, 0.79, 0.5]
    """
    return (1.0 + position) ** (-1 / 3)


def expected(attraction: Vector, rows: Sequence[int] | NDArray[numpy.intp]) -> float:
    """Return the expected clicks on the items of these rows, in the order of positions."""
    return float(sum(attraction[row] * examined(place) for place, row in enumerate(rows)))
