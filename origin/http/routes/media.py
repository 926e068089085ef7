"""Pictures and clips of items that have none: drawn once, then kept on disk."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from attune.contract.decode import ContractError, checked_text
from origin.http.artwork_cache import Drawing
from origin.http.routes.endpoint import Body, Endpoint, answers, services
from origin.http.routes.replies import error_reply

WEBP = "image/webp"
CACHE_CONTROL = "public, max-age=86400"


async def image(request: Request) -> Response:
    """Answer with the item's picture."""
    return await _drawn(request, "image")


async def clip(request: Request) -> Response:
    """Answer with the item's clip, an animated picture."""
    return await _drawn(request, "clip")


async def _drawn(request: Request, kind: Drawing) -> Response:
    tier = services(request)
    item_id = checked_text("item_id", request.path_params["item_id"])
    row = await tier.store.item(item_id)
    if row is None:
        return error_reply(ContractError("item_id", "is not in the catalogue", 404))
    path = await tier.artwork.path(kind, row.item)
    return FileResponse(path, media_type=WEBP, headers={"cache-control": CACHE_CONTROL})


MEDIA_ANSWERS = answers(s200="a WebP file", s404="there is no item of that id")

ENDPOINTS = (
    Endpoint("GET", "/v1/media/{item_id}.clip.webp", clip, "A short clip of an item.",
             MEDIA_ANSWERS, returns=Body((WEBP,))),
    Endpoint("GET", "/v1/media/{item_id}.webp", image, "A picture of an item.",
             MEDIA_ANSWERS, returns=Body((WEBP,))),
)  # fmt: skip
