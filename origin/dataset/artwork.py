"""Pictures and short clips for items that have none: drawn, the same for the same item.

An item's category chooses the painter and its family of colours; its id seeds everything else.
Products get a thing on a stage, films get a scene of their genre.
"""

import hashlib
import random
from typing import NamedTuple

from PIL import Image

from origin.dataset.art import abstracts, goods, landscapes, outings, products, stories
from origin.dataset.art.canvas import Canvas, as_animation, as_webp
from origin.dataset.art.palette import DARK, LIGHT, PALETTES
from origin.dataset.art.scene import Painter, Scene, pass_light

CLIP_FRAMES = 20
CLIP_FRAME_MS = 110


class Look(NamedTuple):
    """How one category is drawn: its painters and the palettes that suit it."""

    painters: tuple[Painter, ...]
    palettes: tuple[str, ...] = LIGHT


NIGHT = ("night", "plum", "forest", "teal", "dusk")
WARM = ("terracotta", "blush", "mustard", "coral", "olive", "stone")
BRIGHT = ("mustard", "coral", "mint", "lilac", "ocean", "blush", "terracotta")

# The storefront's categories: one painter each, the item's noun chooses the thing.
PRODUCTS = {
    "lighting": Look((products.paint_lamp,), (*NIGHT, "terracotta", "mustard", "olive", "blush")),
    "ceramics": Look((products.paint_vessel,)),
    "furniture": Look((products.paint_furniture,)),
    "textiles": Look((products.paint_textile,)),
    "kitchen": Look((goods.paint_kitchen,)),
    "audio": Look((goods.paint_audio,), (*LIGHT, "night", "teal")),
    "plants": Look((goods.paint_plant,), (*WARM, "sage", "mint", "lilac")),
    "stationery": Look((goods.paint_stationery,)),
    "bags": Look((goods.paint_bag,)),
    "clocks": Look((products.paint_clock,)),
    "outdoor": Look((outings.paint_outdoor,), ("dusk", "teal", "night", "sage", "ocean", "coral")),
    "prints": Look((abstracts.paint_print,)),
}
# Films by their first genre: the frequent ones have several painters.
FILMS = {
    "action": Look(
        (
            abstracts.paint_action,
            stories.paint_road,
            stories.paint_iris,
            stories.paint_wanderer,
            landscapes.paint_city,
        ),
        ("ember", "night", "coral", "teal", "dusk", "terracotta"),
    ),
    "adventure": Look(
        (landscapes.paint_adventure, stories.paint_waves, stories.paint_wanderer),
        ("sage", "ocean", "coral", "dusk", "mustard", "teal"),
    ),
    "animation": Look((abstracts.paint_play, abstracts.paint_shapes), BRIGHT),
    "biography": Look((abstracts.paint_portrait, stories.paint_wanderer), (*WARM, "steel", "teal")),
    "comedy": Look(
        (
            abstracts.paint_comedy,
            stories.paint_gentleman,
            stories.paint_gentleman,
            stories.paint_spotlight,
            abstracts.paint_play,
        ),
        (*BRIGHT, "sage", "plum"),
    ),
    "crime": Look(
        (abstracts.paint_crime, stories.paint_fingerprint, landscapes.paint_city),
        ("ember", "night", "forest", "plum", "steel"),
    ),
    "documentary": Look(
        (abstracts.paint_lens, stories.paint_globe), ("steel", "stone", "sage", "ocean", "mustard")
    ),
    "drama": Look(
        (
            abstracts.paint_drama,
            stories.paint_wanderer,
            stories.paint_window,
            stories.paint_waves,
            landscapes.paint_romance,
        ),
        (*LIGHT, "dusk", "teal", "plum"),
    ),
    "family": Look((abstracts.paint_family,), BRIGHT),
    "fantasy": Look((landscapes.paint_fantasy,), ("dusk", "plum", "night", "teal", "forest")),
    "film": Look((abstracts.paint_shapes, stories.paint_window)),
    "film-noir": Look((abstracts.paint_crime,), ("night", "ember")),
    "history": Look((abstracts.paint_history,), WARM),
    "horror": Look(
        (landscapes.paint_horror, stories.paint_stairs), ("ember", "plum", "forest", "night")
    ),
    "music": Look((abstracts.paint_music, stories.paint_spotlight), (*BRIGHT, "plum")),
    "musical": Look((stories.paint_spotlight, abstracts.paint_music), (*BRIGHT, "dusk")),
    "mystery": Look((abstracts.paint_mystery, stories.paint_fingerprint), NIGHT),
    "news": Look((landscapes.paint_city,), ("steel", "night")),
    "romance": Look((landscapes.paint_romance,), ("dusk", "blush", "coral", "plum", "lilac")),
    "sci-fi": Look((landscapes.paint_space,), ("night", "teal", "dusk", "plum")),
    "short": Look((abstracts.paint_shapes, stories.paint_wanderer)),
    "sport": Look((abstracts.paint_sport,), ("mint", "coral", "ocean", "terracotta", "olive")),
    "thriller": Look(
        (abstracts.paint_thriller, stories.paint_stairs, abstracts.paint_mystery), DARK
    ),
    "war": Look((landscapes.paint_war,), ("ember", "forest", "night")),
    "western": Look((landscapes.paint_western,), ("terracotta", "mustard", "ember", "coral")),
}
LOOKS = {**PRODUCTS, **FILMS}
UNKNOWN = Look((abstracts.paint_shapes, landscapes.paint_city, abstracts.paint_print))


def draw_image(
    seed_text: str, category: str, title: str, width: int = 480, height: int = 600
) -> bytes:
    """Return an item's picture as a WebP file; the same arguments give the same bytes.

    Args:
        seed_text: the item's id, or whatever else tells two items of a category apart.
        category: the storefront's category or a film's genre; any other gets an abstract picture.
        title: varies the picture beside the id; never written into it.
        width: in pixels.
        height: in pixels; 1.25 times the width suits every painter.
    """
    return as_webp(picture(seed_text, category, title, (width, height)))


def draw_clip(
    seed_text: str, category: str, title: str, width: int = 288, height: int = 360
) -> bytes:
    """Return an endless clip of the same picture as an animated WebP file."""
    frames = [
        picture(seed_text, category, title, (width, height), frame / CLIP_FRAMES, has_grain=False)
        for frame in range(CLIP_FRAMES)
    ]
    return as_animation(frames, CLIP_FRAME_MS)


def picture(
    seed_text: str,
    category: str,
    title: str,
    size: tuple[int, int],
    phase: float = 0.0,
    *,
    has_grain: bool = True,
) -> Image.Image:
    """Return an item's picture at one moment of its clip."""
    digest = hashlib.blake2b(f"{seed_text}\n{title}".encode(), digest_size=8).digest()
    seed = int.from_bytes(digest)
    look = LOOKS.get(category.casefold(), UNKNOWN)
    dice = random.Random(seed)  # noqa: S311 - this draws pictures, not secrets
    colours = PALETTES[colour_named(title) or dice.choice(look.palettes)]
    canvas = Canvas(*size)
    scene = Scene(canvas, colours, dice, phase, title.casefold())
    dice.choice(look.painters)(scene)
    if category.casefold() in PRODUCTS:
        pass_light(scene)
    return canvas.finish(seed, has_grain=has_grain)


def colour_named(title: str) -> str | None:
    """Return the palette that a title ends on.

    >>> colour_named("Halden table lamp in sage")
    'sage'
    """
    _, _, last = title.rpartition(" in ")
    return last if last in PALETTES else None
