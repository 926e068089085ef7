"""Items: what can be recommended, as a catalogue writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from attune.contract.decode import ContractError, Fields, checked_text
from attune.contract.recommendation import Card

ITEMS_PER_BATCH_MAX = 10_000
ATTRIBUTES_MAX = 64
TAGS_MAX = 64
NUMBER_MAX = 1e300


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the catalogue.

    ``attributes`` are scalar values for filters and rules; ``published_at_ms`` is when the item
    became available (0: always was).
    """

    item_id: str
    title: str
    description: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    image_url: str = ""
    clip_url: str = ""
    item_url: str = ""
    price: float | None = None
    available: bool = True
    published_at_ms: int = 0
    attributes: Mapping[str, str | float | bool] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def card(self) -> Card:
        """Return what a page needs to draw the item."""
        return Card(
            title=self.title,
            category=self.category,
            image_url=self.image_url,
            clip_url=self.clip_url,
            item_url=self.item_url,
            price=self.price,
        )


def read_item(raw: object, item_id: str | None = None) -> Item:
    """Return the item in ``raw``; ``item_id`` from the URL wins over an absent one in the body.

    Raises:
        ContractError: naming the first wrong field; an unknown one is wrong too.
    """
    fields = Fields(raw)
    fields.schema()
    stated = fields.text("item_id", default=item_id)
    if item_id is not None and stated != item_id:
        raise ContractError("item_id", f"is {stated} here and {item_id} in the address")
    price = (
        fields.number("price", 0.0, 1e12, default=-1.0) if fields.raw("price") is not None else -1.0
    )
    item = Item(
        item_id=stated,
        title=fields.text("title", 500),
        description=fields.optional_text("description", 20_000) or "",
        category=fields.optional_text("category") or "",
        tags=fields.texts("tags", TAGS_MAX),
        image_url=fields.optional_text("image_url", 2000) or "",
        clip_url=fields.optional_text("clip_url", 2000) or "",
        item_url=fields.optional_text("item_url", 2000) or "",
        price=None if price < 0 else price,
        available=fields.boolean("available", default=True),
        published_at_ms=fields.time_ms("published_at_ms", default=0),
        attributes=fields.nested("attributes", _read_attributes, MappingProxyType({})),
    )
    fields.refuse_unknown()
    return item


def _read_attributes(raw: object) -> Mapping[str, str | float | bool]:
    if not isinstance(raw, Mapping):
        raise ContractError("", "must be an object")
    entries = cast("Mapping[object, object]", raw)
    if len(entries) > ATTRIBUTES_MAX:
        raise ContractError("", f"must hold at most {ATTRIBUTES_MAX} entries")
    return MappingProxyType(dict(_read_attribute(name, value) for name, value in entries.items()))


def _read_attribute(name: object, value: object) -> tuple[str, str | float | bool]:
    key = checked_text("name", name, 64)
    if isinstance(value, bool | int | float):
        # JSON's 1e400 arrives as an infinity, which no JSON can carry on. NaN fails here, too.
        if not -NUMBER_MAX <= value <= NUMBER_MAX:
            raise ContractError(key, f"must be from {-NUMBER_MAX:g} to {NUMBER_MAX:g}")
        return key, value
    return key, checked_text(key, value, 1000)


def pack_item(item: Item) -> dict[str, object]:
    """Return the wire form, for JSON or msgpack."""
    return {
        "item_id": item.item_id,
        "title": item.title,
        "description": item.description or None,
        "category": item.category or None,
        "tags": list(item.tags),
        "image_url": item.image_url or None,
        "clip_url": item.clip_url or None,
        "item_url": item.item_url or None,
        "price": item.price,
        "available": item.available,
        "published_at_ms": item.published_at_ms,
        "attributes": dict(item.attributes),
    }
