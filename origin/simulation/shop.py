"""A storefront to serve in, whose goods change: some turn, some are new.

Built on the synthetic storefront (``origin.dataset.visitors``): a visitor's intent moves with every
click, and each slate's expected clicks and those of the best slate are known numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attune.context import bandit_bucket
from origin.bandits.port import Matrix
from origin.content_embedding import content_embedding
from origin.dataset.storefront import DAY_MS, FIRST_DAY_MS, build_storefront
from origin.dataset.visitors import Environment, Visit

PAGES = (2, 3, 3, 4, 5, 6, 8)
PAGE_MS = 40_000
SPAN_DAYS = 28.0


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated.

    Args:
        items: goods in the catalogue.
        visitors: who comes back; each starts without history.
        slates: pages that are served in all.
        drift: share of goods whose quality is drawn anew at half time.
        launches: share of goods that are not for sale before half time.
        length: positions of a slate.
    """

    items: int = 600
    visitors: int = 300
    slates: int = 5_000
    drift: float = 0.0
    launches: float = 0.0
    length: int = 8


@dataclass(frozen=True, slots=True)
class Page:
    """One slate to be served: to whom, in which cohort, and which goods are for sale, (N,).

    ``bucket`` numbers the context bucket, ``category`` the category through which the visit began.
    """

    number: int
    visitor: str
    visit: Visit
    bucket: int
    category: int
    on_sale: NDArray[np.bool_]


class Shop:
    """The storefront during one run; every policy of a seed meets the same visitors."""

    def __init__(self, world: World, seed: int) -> None:
        """Open it."""
        self.world = world
        self.storefront = build_storefront(seed, world.items)
        self.environment = Environment(self.storefront, world.visitors, seed)
        self.embeddings: Matrix = np.stack(
            [content_embedding(item).astype(np.float64) for item in self.storefront.items]
        )
        self.categories = np.array(self.storefront.categories, dtype=np.int64)
        self._category_of = {
            item.category.casefold(): category
            for item, category in zip(
                self.storefront.items, self.storefront.categories, strict=True
            )
        }
        self._dice = np.random.default_rng((seed, 1))
        self.launched_late = self._dice.random(world.items) < world.launches

    def pages(self) -> Iterator[Page]:
        """Yield the slates to be served, in the order of time; half way the goods change."""
        world, number = self.world, 0
        buckets: dict[str, int] = {}
        while number < world.slates:
            now_ms = FIRST_DAY_MS + int(number / world.slates * SPAN_DAYS * DAY_MS)
            visitor = self.environment.visitors[self._someone()]
            visit = self.environment.begin_visit(visitor, now_ms)
            bucket = buckets.setdefault(bandit_bucket(visit.context), len(buckets))
            category = self._category_of[visit.context.entry_category]
            for _ in range(int(self._dice.choice(PAGES))):
                if number >= world.slates:
                    break
                if number == world.slates // 2:
                    self._turn()
                on_sale = self._on_sale(number)
                visit.taken |= set(np.flatnonzero(~on_sale).tolist())
                yield Page(number, visitor.user_id, visit, bucket, category, on_sale)
                visit.now_ms += PAGE_MS
                number += 1
            self.environment.end_visit(visit)

    def _someone(self) -> int:
        """Return who comes: few often, many rarely."""
        weights = 1.0 / np.arange(1, self.world.visitors + 1) ** 0.6
        return int(self._dice.choice(self.world.visitors, p=weights / weights.sum()))

    def _on_sale(self, number: int) -> NDArray[np.bool_]:
        """Return what is for sale now, (N,)."""
        late = number >= self.world.slates // 2
        return np.ones(self.world.items, np.bool_) if late else ~self.launched_late

    def _turn(self) -> None:
        """Draw the quality of some goods anew."""
        turned = self._dice.random(self.world.items) < self.world.drift
        quality = np.where(
            turned, 0.6 * self._dice.standard_normal(self.world.items), self.storefront.quality
        )
        self.environment.storefront = replace(self.storefront, quality=quality)
