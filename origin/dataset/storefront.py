"""The synthetic storefront: a seeded catalogue of things for a home, each with latent factors.

An item's factors say what it is to a visitor's taste: mostly its category, then its style, then
something of its own. Names, texts, tags, colours and pictures follow from the same category and
style, so that what can be read off an item tells something about who will like it - as in a shop.
"""

import random
from dataclasses import dataclass
from functools import cached_property

import numpy
from numpy.typing import NDArray

from attune.contract.item import Item
from origin.dataset.storefront_words import CATEGORIES, MAKERS, STYLES

Vector = NDArray[numpy.float64]

ITEMS = 600
FACTORS = 16
CATEGORY_SHARE, STYLE_SHARE, OWN_SHARE = 0.60, 0.55, 0.50
FIRST_DAY_MS = 1_735_689_600_000  # 2025-01-01: the shop's opening, a fixed date for a fixed seed
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Storefront:
    """A catalogue with what is hidden behind it.

    `factors` (N, K) have unit length; `quality` (N,) is what an item has going for it with
    everybody, in logits.
    """

    items: tuple[Item, ...]
    factors: Vector
    quality: Vector
    categories: tuple[int, ...]

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each item's id."""
        return {item.item_id: row for row, item in enumerate(self.items)}


def build_storefront(seed: int = 7, items: int = ITEMS) -> Storefront:
    """Return the storefront of a seed: always the same for the same arguments.

    >>> build_storefront(items=24).items[0].category
    'Lighting'
    """
    dice, noise = random.Random(seed), numpy.random.default_rng(seed)  # noqa: S311 - a simulation
    kinds = unit(noise.standard_normal((len(CATEGORIES), FACTORS)))
    styles = unit(noise.standard_normal((len(STYLES), FACTORS)))
    own = unit(noise.standard_normal((items, FACTORS)))
    of_category = [row % len(CATEGORIES) for row in range(items)]
    of_style = [dice.randrange(len(STYLES)) for _ in range(items)]
    factors = CATEGORY_SHARE * kinds[of_category] + STYLE_SHARE * styles[of_style] + OWN_SHARE * own
    names: set[str] = set()
    catalogue = tuple(
        make_item(row, of_category[row], of_style[row], dice, names) for row in range(items)
    )
    quality = 0.6 * noise.standard_normal(items)
    return Storefront(catalogue, unit(factors), quality, tuple(of_category))


def unit(rows: Vector) -> Vector:
    """Return the rows scaled to unit length."""
    return rows / numpy.linalg.norm(rows, axis=-1, keepdims=True)


def make_item(
    row: int, category_row: int, style_row: int, dice: random.Random, names: set[str]
) -> Item:
    """Return one item; `names` are taken and get its title."""
    category, kind = list(CATEGORIES.items())[category_row]
    style_name, style = list(STYLES.items())[style_row]
    title, noun, maker, colour = new_title(kind.nouns, style.colours, dice, names)
    item_id = f"{category.casefold()}-{row:04d}"
    manner = dice.choice(style.words)
    article = "An" if manner[0] in "aeiou" else "A"
    text = (
        f"{article} {manner} {noun} by {maker}, in {colour}. {dice.choice(kind.made)}. "
        f"It {dice.choice(kind.use)}."
    )
    return Item(
        item_id=item_id,
        title=title,
        description=text,
        category=category,
        tags=(style_name, noun, colour),
        image_url=f"/v1/media/{item_id}.webp",
        clip_url=f"/v1/media/{item_id}.clip.webp",
        price=round(kind.price * dice.lognormvariate(0.0, 0.45)) - 0.1,
        published_at_ms=FIRST_DAY_MS - dice.randrange(1, 720) * DAY_MS,
        attributes={"maker": maker, "style": style_name, "colour": colour},
    )


def new_title(
    nouns: tuple[str, ...], colours: tuple[str, ...], dice: random.Random, names: set[str]
) -> tuple[str, str, str, str]:
    """Return a title that no other item has, with its noun, maker and colour."""
    while True:
        noun, maker, colour = dice.choice(nouns), dice.choice(MAKERS), dice.choice(colours)
        title = f"{maker} {noun} in {colour}"
        if title not in names:
            names.add(title)
            return title, noun, maker, colour
