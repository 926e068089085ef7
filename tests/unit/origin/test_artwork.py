"""Drawn pictures: the same for the same item, different for others, valid files."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from origin.dataset.artwork import CLIP_FRAMES, LOOKS, draw_clip, draw_image
from origin.dataset.storefront_words import CATEGORIES, STYLES

SMALL = (120, 150)


@pytest.mark.parametrize("category", [*LOOKS, "Something else"])
def test_every_category_has_a_picture_with_contrast(category: str) -> None:
    file = draw_image(f"{category}-1", category, "Title", *SMALL)
    picture = Image.open(BytesIO(file))
    assert (picture.format, picture.size) == ("WEBP", SMALL)
    assert np.asarray(picture.convert("L")).std() > 8


def test_a_picture_is_the_same_for_the_same_item_and_another_for_another() -> None:
    assert draw_image("a", "Drama", "T", *SMALL) == draw_image("a", "drama", "T", *SMALL)
    assert draw_image("a", "Drama", "T", *SMALL) != draw_image("b", "Drama", "T", *SMALL)


def test_a_clip_moves_and_repeats() -> None:
    clip = Image.open(BytesIO(draw_clip("a", "Romance", "T", *SMALL)))
    assert getattr(clip, "n_frames", 1) == CLIP_FRAMES
    first = np.asarray(clip.convert("L"), dtype=float)
    clip.seek(CLIP_FRAMES // 4)
    assert np.abs(np.asarray(clip.convert("L"), dtype=float) - first).max() > 5


def test_the_title_chooses_the_thing_and_its_colour() -> None:
    """Equal seeds apart from the title's colour give pictures of other colours."""

    def mean_colour(title: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        picture = Image.open(BytesIO(draw_image("x", "Kitchen", title, *SMALL)))
        return np.asarray(picture.convert("RGB"), dtype=float).mean(axis=(0, 1))

    mint, coral = mean_colour("Alva mug in mint"), mean_colour("Alva mug in coral")
    assert mint[1] > mint[0]
    assert coral[0] > coral[1]


def test_every_category_and_colour_of_the_storefront_can_be_drawn() -> None:
    assert {name.casefold() for name in CATEGORIES} <= set(LOOKS)
    for style in STYLES.values():
        for colour in style.colours:
            assert draw_image("x", "Lighting", f"A lamp in {colour}", 60, 75)
