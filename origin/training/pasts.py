"""Pasts that models are trained on: events with the catalogue in which they happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attune.contract.event import Interaction
from attune.contract.item import Item
from origin.dataset.movietweetings import ITEMS_FILE, item_rows, movie_id, movie_of
from origin.dataset.rows import Row
from origin.dataset.storefront import build_storefront
from origin.dataset.storefront_history import history
from origin.dataset.visitors import Environment
from origin.evaluation.ratings import read_ratings

STOREFRONT_SEED = 11
"""Not the demo's seed: what is tuned on one shop should serve another."""

STOREFRONT_UNTIL_MS = 1_740_787_200_000  # 2025-03-01
STOREFRONT_DAYS = 28
STOREFRONT_VISITORS = 400


@dataclass(frozen=True, slots=True)
class Past:
    """Interactions in the order of time, and what is known of the items.

    ``opened`` are the items that are there from the start; others appear with their first event.
    """

    name: str
    events: Sequence[Interaction]
    catalogue: Mapping[str, Item] = field(default_factory=dict[str, Item])
    opened: Sequence[str] = ()


def ratings_past(ratings: Path, until: int) -> Past:
    """Return the first ``until`` ratings of a file, with a films' file beside it if any."""
    events = read_ratings(ratings)[:until]
    catalogue: dict[str, Item] = {}
    if (ratings.parent / ITEMS_FILE).exists():
        films = (movie_of(row) for row in item_rows(ratings.parent) if isinstance(row, Row))
        known = {film.item_id: film for film in films}
        for item_id in {event.item_id for event in events if event.item_id.isdecimal()}:
            if (film := known.get(movie_id(item_id))) is not None:
                catalogue[item_id] = film_as(film, item_id)
    name = f"the first {len(events):,} ratings of {ratings.parent.name}/{ratings.name}"
    return Past(name, events, catalogue)


def film_as(film: Item, item_id: str) -> Item:
    """Return the film under the id that the ratings know it by."""
    return Item(
        item_id=item_id,
        title=film.title,
        description=film.description,
        category=film.category,
        tags=film.tags,
    )


def storefront_past(visits: int) -> Past:
    """Return the clicks of so many simulated visits; what follows a click says no more."""
    shop = build_storefront(STOREFRONT_SEED)
    world = Environment(shop, STOREFRONT_VISITORS, STOREFRONT_SEED)
    events = [
        event
        for event in history(world, visits, STOREFRONT_UNTIL_MS, STOREFRONT_DAYS)
        if isinstance(event, Interaction) and event.user_id is not None and event.action == "click"
    ]
    events.sort(key=lambda event: event.occurred_at_ms)
    catalogue = {item.item_id: item for item in shop.items}
    return Past(
        f"{visits:,} simulated visits to the storefront", events, catalogue, list(catalogue)
    )
