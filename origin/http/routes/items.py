"""The catalogue: single items, pages, bulk changes, neighbours and what is trending."""

from collections.abc import Iterable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from attune.contract.decode import ContractError, checked_text
from attune.contract.item import ITEMS_PER_BATCH_MAX, Item, pack_item, read_item
from attune.popularity import HALF_LIVES_HOURS, TRENDING, reading
from origin.catalogue import write_items
from origin.http.routes.bodies import (
    bounded_body,
    decoded_json,
    json_body,
    query_integer,
    query_text,
)
from origin.http.routes.endpoint import JSON, NDJSON, Body, Endpoint, Parameter, answers, services
from origin.http.routes.replies import error_reply, json_reply
from origin.storage.port import ItemRow, Scored

ITEM_BYTES_MAX = 256 * 1024
"""An item with every field at its limit takes some 200 kB."""

BULK_BYTES_MAX = 32 * 1024 * 1024
"""10,000 items of 3 kB; larger ones go in smaller batches."""

TRENDING_HOURS = HALF_LIVES_HOURS[TRENDING]

PAGE_MAX = 500
SIMILAR_MAX = 50


async def get_item(request: Request) -> Response:
    """Answer with the item."""
    row = await services(request).store.item(_item_id(request))
    return not_found() if row is None else json_reply(shown_item(row))


async def put_item(request: Request) -> Response:
    """Insert or replace the item."""
    item = read_item(await json_body(request, ITEM_BYTES_MAX), _item_id(request))
    tier = services(request)
    is_new = await write_items(tier.store, tier.store, [item], tier.now_ms())
    return json_reply({"item_id": item.item_id}, 201 if is_new else 200)


async def delete_item(request: Request) -> Response:
    """Remove the item."""
    existed = await services(request).store.delete_item(_item_id(request))
    return Response(status_code=204) if existed else not_found()


async def list_items(request: Request) -> Response:
    """Answer with a page of items, in the order of their ids."""
    limit = query_integer(request, "limit", 1, PAGE_MAX, 50)
    rows = await services(request).store.items_after(query_text(request, "after", 128), limit)
    following = rows[-1].item.item_id if len(rows) == limit else None
    return json_reply({"items": [shown_item(row) for row in rows], "after": following})


async def put_items(request: Request) -> Response:
    """Insert or replace one item a line; a wrong line does not take the good ones with it."""
    lines = (await bounded_body(request, BULK_BYTES_MAX)).splitlines()
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise ContractError("", "must hold at least one line")
    if len(numbered) > ITEMS_PER_BATCH_MAX:
        problem = f"must hold at most {ITEMS_PER_BATCH_MAX} lines, not {len(numbered)}"
        raise ContractError("", problem, 413)
    items, rejected = read_lines(numbered)
    tier = services(request)
    created = await write_items(tier.store, tier.store, items, tier.now_ms()) if items else 0
    body = {"accepted": len(items), "created": created, "rejected": rejected}
    return json_reply(body, 200 if items else 422)


def read_lines(
    numbered: Iterable[tuple[int, bytes]],
) -> tuple[list[Item], list[dict[str, str | int]]]:
    """Return the items in the lines, and for every other line its number, field and problem."""
    items: list[Item] = []
    rejected: list[dict[str, str | int]] = []
    for number, line in numbered:
        try:
            items.append(read_item(decoded_json(line)))
        except ContractError as error:
            rejected.append({"line": number, "field": error.field, "problem": error.problem})
    return items, rejected


async def similar(request: Request) -> Response:
    """Answer with the items nearest to one item: by embedding, else by who met both."""
    store, item_id = services(request).store, _item_id(request)
    n = query_integer(request, "n", 1, SIMILAR_MAX, 12)
    row = await store.item(item_id)
    if row is None:
        return not_found()
    if row.embedding is None:
        pairs = await store.together([item_id], n)
        found: Sequence[Scored] = [Scored(pair.item_id, pair.level) for pair in pairs]
    else:
        found = await store.nearest(row.embedding, n + 1)
    others = [entry for entry in found if entry.item_id != item_id][:n]
    return json_reply({"item_id": item_id, "items": await _shown(request, others)})


async def trending(request: Request) -> Response:
    """Answer with the items that are interacted with most at present."""
    n = query_integer(request, "n", 1, SIMILAR_MAX, 12)
    category = query_text(request, "category", 128) or None
    tier = services(request)
    found = [
        Scored(entry.item_id, 2.0 ** reading(entry.score, tier.now_ms(), TRENDING_HOURS))
        for entry in await tier.store.trending(n, category)
    ]
    return json_reply({"items": await _shown(request, found)})


async def _shown(request: Request, found: Sequence[Scored]) -> list[dict[str, object]]:
    rows = await services(request).store.item_rows([entry.item_id for entry in found])
    return [
        {
            "item_id": entry.item_id,
            "score": round(entry.score, 6),
            **rows[entry.item_id].item.card().pack(),
        }
        for entry in found
        if entry.item_id in rows
    ]


def shown_item(row: ItemRow) -> dict[str, object]:
    """Return the item with what the store knows about it."""
    return {
        **pack_item(row.item),
        "first_seen_ms": row.first_seen_ms,
        "embedding_version": row.embedding_version or None,
    }


def not_found() -> Response:
    """Return the answer for an item that does not exist."""
    return error_reply(ContractError("item_id", "is not in the catalogue", 404))


def _item_id(request: Request) -> str:
    return checked_text("item_id", request.path_params["item_id"])


ITEM_ANSWERS = answers(s200="the item", s404="there is none of that id")

ENDPOINTS = (
    Endpoint("GET", "/v1/items", list_items, "A page of the catalogue.",
             answers(s200="items in the order of their ids; `after` leads to the next page"),
             returns=Body((JSON,), "ItemPage"),
             parameters=(Parameter("after", "The last id of the page before.", ""),
                         Parameter("limit", "Items of a page.", 50, PAGE_MAX))),
    Endpoint("POST", "/v1/items", put_items, "Insert or replace items, one a line.",
             answers(s200="every good line is kept, every other one is listed",
                     s413="more than 10,000 lines, or too large", s422="not one line is good"),
             accepts=Body((NDJSON,), "Item"), returns=Body((JSON,), "ItemOutcome")),
    Endpoint("GET", "/v1/items/{item_id}", get_item, "An item.", ITEM_ANSWERS,
             returns=Body((JSON,), "ItemShown")),
    Endpoint("PUT", "/v1/items/{item_id}", put_item, "Insert or replace an item.",
             answers(s200="replaced", s201="inserted", s400="the item breaks the contract"),
             accepts=Body((JSON,), "Item"), returns=Body((JSON,), "ItemId")),
    Endpoint("DELETE", "/v1/items/{item_id}", delete_item, "Remove an item.",
             answers(s204="removed", s404="there is none of that id")),
    Endpoint("GET", "/v1/items/{item_id}/similar", similar, "Items like an item.",
             answers(s200="the nearest first", s404="there is none of that id"),
             returns=Body((JSON,), "ItemsScored"),
             parameters=(Parameter("n", "Items wanted.", 12, SIMILAR_MAX),)),
    Endpoint("GET", "/v1/trending", trending, "What is interacted with most at present.",
             answers(s200="the most trending first"), returns=Body((JSON,), "ItemsScored"),
             parameters=(Parameter("n", "Items wanted.", 12, SIMILAR_MAX),
                         Parameter("category", "Only of this category.", ""))),
)  # fmt: skip
