"""`attune items`: a look into the catalogue and at what was learned of it."""

from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, show, show_rows

if TYPE_CHECKING:
    from origin.commands.filling import Destination
    from origin.storage.port import ItemRow

ROWS_MAX = 1_000


@click.group("items")
def command() -> None:
    """Look into the catalogue: how much there is, what is in it, what is alike, what trends."""


@command.command("count")
@json_option
def count(as_json: bool) -> None:
    """Count items, users, interactions, impressions and dead letters."""
    from dataclasses import asdict

    from origin.commands.filling import fill

    async def look(destination: "Destination") -> dict[str, FigureTree]:
        return asdict(await destination.store.counts())

    show(fill(look), as_json=as_json, title="In the store")


@command.command("list")
@click.option("--after", default="", help="Start behind this item id.")
@click.option("--limit", default=20, type=click.IntRange(1, ROWS_MAX), help="How many.")
@json_option
def list_(after: str, limit: int, as_json: bool) -> None:
    """List items in the order of their ids."""
    from origin.commands.filling import fill

    async def look(destination: "Destination") -> list[dict[str, FigureTree]]:
        return [line_of(row) for row in await destination.store.items_after(after, limit)]

    show_rows(fill(look), as_json=as_json, title="Items")


@command.command("trending")
@click.option("--limit", default=20, type=click.IntRange(1, ROWS_MAX), help="How many.")
@json_option
def trending(limit: int, as_json: bool) -> None:
    """List what is popular now, most popular first."""
    from origin.commands.filling import fill

    async def look(destination: "Destination") -> list[dict[str, FigureTree]]:
        scored = await destination.store.trending(limit)
        rows = await destination.store.item_rows([each.item_id for each in scored])
        return [
            line_of(rows[each.item_id]) | {"level": each.score}
            for each in scored
            if each.item_id in rows
        ]

    show_rows(fill(look), as_json=as_json, title="Trending")


@command.command("show")
@click.argument("item_id")
@json_option
def show_(item_id: str, as_json: bool) -> None:
    """Show one item, and the items that are most like it."""
    from origin.commands.filling import fill

    figures = fill(lambda destination: look_at(destination, item_id))
    if figures is None:
        raise click.ClickException(f"there is no item {item_id!r}")
    show(figures, as_json=as_json, title=item_id)


async def look_at(destination: "Destination", item_id: str) -> dict[str, FigureTree] | None:
    """Return an item with its nearest neighbours, None when there is none of that id."""
    from attune.contract.item import pack_item

    row = await destination.store.item(item_id)
    if row is None:
        return None
    figures: dict[str, FigureTree] = {
        name: value
        for name, value in pack_item(row.item).items()
        if isinstance(value, str | int | float | bool)
    }
    figures["tags"] = ", ".join(row.item.tags)
    figures["embedding_version"] = row.embedding_version or None
    if row.embedding is not None:
        near = [each.item_id for each in await destination.store.nearest(row.embedding, 6)]
        titles = await destination.store.item_rows(near)
        figures["alike"] = [titles[other].item.title for other in near if other != item_id]
    return figures


def line_of(row: "ItemRow") -> dict[str, FigureTree]:
    """Return an item as one line of a list."""
    item = row.item
    return {
        "item_id": item.item_id,
        "title": item.title,
        "category": item.category,
        "price": item.price,
        "available": item.available,
        "embedding": row.embedding_version or None,
    }
