"""Serving policies under simulation: attune's own slates, and simpler rules on equal knowledge.

All learn the same way from what they showed and what was clicked: where a visitor stands (the
kernel's embedding rule over content embeddings), each item's click rate per context bucket under a
fitted prior, and a logistic model that makes a base score of both and of the entry category. They
differ in what they show.
"""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from attune.beliefs import Beliefs
from attune.diversity import Similarities
from attune.embedding import EmbeddingRule, step_size
from attune.exploration import ExplorationTarget, initial_state, observed
from attune.quantisation import quantised
from attune.slate import Pool, Rules, assembled, exploration_rate
from origin.bandits.logistic import LogisticThompson
from origin.bandits.port import Matrix, Vector
from origin.bandits.rates import Rates
from origin.simulation.shop import Page, Shop

EPSILON = 0.1
FEATURES = 5
EPSILON_FIRST = 0.2
CANDIDATES = 100
PROMISING = 20
"""A bundle's candidates: the best by base score, and those whose rate may be high."""

RATE_FEATURE_AT = -3.0  # logit of a rate that counts as zero in the base model


@dataclass(frozen=True, slots=True)
class Served:
    """A slate as rows of the catalogue, and the expected share of positions that explored."""

    rows: list[int]
    exploration_rate: float


class Knowledge:
    """What a policy has learned so far."""

    def __init__(self, shop: Shop, seed: int) -> None:
        """Start knowing the goods' contents and nothing else."""
        count = len(shop.categories)
        self.embeddings = shop.embeddings
        self.rng = np.random.default_rng((seed, 2))
        self._rule = EmbeddingRule()
        self._rates = Rates(count, groups=shop.categories)
        self._by_bucket: dict[int, Rates] = {}
        self._shop = shop
        self._model = LogisticThompson(FEATURES)
        self._nowhere: Vector = np.zeros(self.embeddings.shape[1])
        self._visitors: dict[str, tuple[Vector, int]] = {}

    def rates(self, bucket: int) -> Rates:
        """Return the beliefs in a context bucket."""
        found = self._by_bucket.get(bucket)
        if found is None:
            count, groups = len(self._shop.categories), self._shop.categories
            found = self._by_bucket[bucket] = Rates(count, groups=groups)
        return found

    def features(self, page: Page) -> Matrix:
        """Return what the base model sees, (N, 5); the last one is the item's own rate."""
        taste, seen = self._visitors.get(page.visitor, (self._nowhere, 0))
        rates = self._rates
        means = rates.alpha / (rates.alpha + rates.beta)
        cosines = self.embeddings @ taste
        ones = np.ones(len(cosines))
        surer = cosines * min(seen, 10) / 10.0
        entered = (self._shop.categories == page.category).astype(np.float64)
        return np.stack([ones, cosines, surer, entered, logit(means) - RATE_FEATURE_AT], axis=1)

    def base_scores(self, features: Matrix) -> Vector:
        """Return the probability of a click on each item, (N,)."""
        return np.asarray(expit(features @ self._model.mean), dtype=np.float64)

    def learn(
        self, page: Page, rows: list[int], clicked: tuple[int, ...], features: Matrix
    ) -> None:
        """Learn from a slate that was seen."""
        arms, rewards = np.array(rows, dtype=np.int64), np.zeros(len(rows))
        rewards[list(clicked)] = 1.0
        self._rates.learn(arms, rewards)
        self.rates(page.bucket).learn(arms, rewards)
        self._model.learn(arms, rewards, features[arms])
        for place in clicked:
            taste, seen = self._visitors.get(page.visitor, (self._nowhere, 0))
            step = step_size("purchase", 0.0, seen, self._rule)
            moved = taste + step * (self.embeddings[rows[place]] - taste)
            self._visitors[page.visitor] = (moved / float(np.linalg.norm(moved)), seen + 1)


class Policy:
    """A rule that fills slates from what is known."""

    def __init__(self, shop: Shop, seed: int) -> None:
        """Start without knowledge."""
        self.knowledge = Knowledge(shop, seed)
        self.length = shop.world.length

    def serve(self, page: Page, features: Matrix) -> Served:
        """Return the slate."""
        raise NotImplementedError

    def open_rows(self, page: Page) -> NDArray[np.int64]:
        """Return what may be shown: for sale, and not taken in this visit, (M,)."""
        free = page.on_sale.copy()
        free[list(page.visit.taken)] = False
        return np.flatnonzero(free)


class Random(Policy):
    """Anything."""

    def serve(self, page: Page, features: Matrix) -> Served:
        """Return random goods."""
        rows = self.knowledge.rng.choice(self.open_rows(page), self.length, replace=False)
        return Served(rows.tolist(), 1.0)


class Popular(Policy):
    """The highest expected click rates, the same for everybody."""

    def serve(self, page: Page, features: Matrix) -> Served:
        """Return the best-known goods."""
        rows = self.open_rows(page)
        return Served(rows[np.argsort(-features[rows, -1])[: self.length]].tolist(), 0.0)


class GreedySlates(Policy):
    """The highest base scores."""

    def serve(self, page: Page, features: Matrix) -> Served:
        """Return the best for this visitor."""
        rows = self.open_rows(page)
        scores = self.knowledge.base_scores(features[rows])
        return Served(rows[np.argsort(-scores, kind="stable")[: self.length]].tolist(), 0.0)


class EpsilonGreedySlates(GreedySlates):
    """The same, with every tenth position left to chance."""

    def serve(self, page: Page, features: Matrix) -> Served:
        """Return the best for this visitor, with a few random ones among them."""
        rows, rng = super().serve(page, features).rows, self.knowledge.rng
        spare = [int(row) for row in rng.permutation(self.open_rows(page)) if row not in set(rows)]
        for place in np.flatnonzero(rng.random(len(rows)) < EPSILON):
            rows[place] = spare.pop()
        return Served(rows, EPSILON)


class Attune(Policy):
    """The kernel's slate assembly with its exploration controller, as the edge serves."""

    def __init__(self, shop: Shop, seed: int) -> None:
        """Start in the middle of the exploration band."""
        super().__init__(shop, seed)
        self._target = ExplorationTarget()
        self._state = initial_state(EPSILON_FIRST, self._target)
        self._codes: list[array[int]] = [
            array("b", quantised(row.tolist())) for row in shop.embeddings
        ]

    def serve(self, page: Page, features: Matrix) -> Served:
        """Return the slate that the edge would."""
        rows, rates = self.open_rows(page), self.knowledge.rates(page.bucket)
        bases = self.knowledge.base_scores(features[rows])
        alpha, beta = rates.alpha[rows], rates.beta[rows]
        means = alpha / (alpha + beta)
        hopes = means + 2.0 * np.sqrt(means * (1.0 - means) / (alpha + beta + 1.0))
        best = np.argsort(-bases, kind="stable")
        promising = np.argsort(-hopes, kind="stable")
        chosen = [*best[:CANDIDATES].tolist(), *promising[:PROMISING].tolist()]
        kept: list[int] = list(dict.fromkeys(chosen))
        pool = Pool(
            eligible=range(len(kept)),
            bases=bases[kept].tolist(),
            beliefs=Beliefs(list(zip(alpha[kept].tolist(), beta[kept].tolist(), strict=True))),
            similarities=Similarities([self._codes[int(rows[place])] for place in kept]),
            exposures=bytes(len(kept)),
        )
        rules = Rules(self._state.epsilon, 0.0, 1.0, self._target.high)
        choices = assembled(pool, self.length, rules, page.number)
        rate = exploration_rate(choices)
        self._state = observed(self._state, rate, self._target)
        return Served([int(rows[kept[choice.place]]) for choice in choices], rate)


POLICIES: Mapping[str, Callable[[Shop, int], Policy]] = {
    "attune": Attune,
    "greedy": GreedySlates,
    "epsilon_greedy": EpsilonGreedySlates,
    "popular": Popular,
    "random": Random,
}
