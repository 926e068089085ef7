"""A drawing surface with smooth edges, gradients, soft shadows and paper grain.

Coordinates are shares of the width: x runs from 0 to 1, y from 0 to `bottom` (1.25 for the
usual 4:5 picture). Shapes are drawn at twice the size and reduced at the end, which smooths
every edge at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from origin.dataset.art.palette import Colour

Point = tuple[float, float]
Box = tuple[int, int, int, int]

SUPERSAMPLING = 2
GRAIN_LEVELS = 4.5  # standard deviation of the grain, in 256ths: paper, not noise
GRAIN_SHEETS = 4  # distinct sheets of grain; each costs 1 MB of memory
WEBP_QUALITY = 84


@dataclass(frozen=True, slots=True)
class Fade:
    """A paint that runs through colours, from top to bottom or from left to right."""

    colours: tuple[Colour, ...]
    is_horizontal: bool = False


Paint = Colour | Fade


def across(*colours: Colour) -> Fade:
    """Return the paint that runs from left to right, as light does around a cylinder."""
    return Fade(colours, is_horizontal=True)


def down(*colours: Colour) -> Fade:
    """Return the paint that runs from top to bottom."""
    return Fade(colours)


class Canvas:
    """One picture in the making."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.scale = width * SUPERSAMPLING
        self.bottom = height / width
        self.image = Image.new("RGB", (self.scale, height * SUPERSAMPLING))

    def fill(self, paint: Paint) -> None:
        """Cover everything."""
        self.image.paste(swatch(paint, self.image.size))

    def polygon(self, points: Sequence[Point], paint: Paint, opacity: float = 1.0) -> None:
        """Fill the area that the points enclose."""
        box = self._box(points, 0.0)
        place = [(x * self.scale - box[0], y * self.scale - box[1]) for x, y in points]
        mask, draw = blank_mask(box)
        draw.polygon(place, fill=level(opacity))
        self._apply(mask, box, paint)

    def ellipse(
        self, centre: Point, radius: float, paint: Paint, opacity: float = 1.0, flat: float = 1.0
    ) -> None:
        """Fill an ellipse whose height is `flat` times its width."""
        (x, y), tall = centre, radius * flat
        box = self._box([(x - radius, y - tall), (x + radius, y + tall)], 0.0)
        mask, draw = blank_mask(box)
        draw.ellipse((0, 0, mask.width - 1, mask.height - 1), fill=level(opacity))
        self._apply(mask, box, paint)

    def ring(self, centre: Point, radius: float, width: float, paint: Paint) -> None:
        """Draw a circle's line of the given width, inside the radius."""
        x, y = centre
        box = self._box([(x - radius, y - radius), (x + radius, y + radius)], 0.0)
        mask, draw = blank_mask(box)
        thickness = max(1, round(width * self.scale))
        draw.ellipse((0, 0, mask.width - 1, mask.height - 1), outline=255, width=thickness)
        self._apply(mask, box, paint)

    def block(
        self,
        corner: Point,
        size: Point,
        paint: Paint,
        rounding: float = 0.0,
        opacity: float = 1.0,
    ) -> None:
        """Fill a rectangle with rounded corners."""
        (x, y), (wide, tall) = corner, size
        box = self._box([(x, y), (x + wide, y + tall)], 0.0)
        mask, draw = blank_mask(box)
        edge = (0, 0, mask.width - 1, mask.height - 1)
        radius = min(rounding * self.scale, mask.width / 2, mask.height / 2)
        draw.rounded_rectangle(edge, radius=radius, fill=level(opacity))
        self._apply(mask, box, paint)

    def arch(self, corner: Point, size: Point, paint: Paint, opacity: float = 1.0) -> None:
        """Fill a doorway: a rectangle whose top is a half circle."""
        (x, y), (wide, tall) = corner, size
        radius = wide / 2
        top = [point_on((x + radius, y + radius), radius, 0.5 + i / 64) for i in range(33)]
        self.polygon([*top, (x + wide, y + tall), (x, y + tall)], paint, opacity)

    def line(
        self, points: Sequence[Point], width: float, paint: Paint, opacity: float = 1.0
    ) -> None:
        """Draw a line with round joints and ends."""
        box = self._box(points, width)
        place = [(x * self.scale - box[0], y * self.scale - box[1]) for x, y in points]
        mask, draw = blank_mask(box)
        thickness = max(1, round(width * self.scale))
        draw.line(place, fill=level(opacity), width=thickness, joint="curve")
        radius = thickness / 2
        for x, y in (place[0], place[-1]):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=level(opacity))
        self._apply(mask, box, paint)

    def glow(self, centre: Point, radius: float, colour: Colour, strength: float) -> None:
        """Add a soft light (or, with a dark colour, a soft shadow) around a point."""
        self.haze(centre, radius, radius, colour, strength)

    def shadow(self, centre: Point, wide: float, tall: float, ink: Colour) -> None:
        """Put the soft contact shadow of a thing on the ground that it stands on."""
        self.haze(centre, wide * 1.5, tall * 1.6, ink, 0.30)
        self.haze(centre, wide * 1.05, tall * 0.7, ink, 0.45)

    def haze(self, centre: Point, wide: float, tall: float, colour: Colour, peak: float) -> None:
        """Blend a colour in, strongest in the middle of an ellipse and gone at its edge."""
        (x, y) = centre
        box = self._box([(x - wide, y - tall), (x + wide, y + tall)], 0.0)
        size = (box[2] - box[0], box[3] - box[1])
        mask = soft_spot().resize(size, Image.Resampling.BILINEAR).point(scaled(peak))
        self._apply(mask, box, colour)

    def finish(self, seed: int, *, has_grain: bool = True) -> Image.Image:
        """Return the picture in its final size, with a slight vignette and, if asked, grain."""
        picture = self.image.resize(self.size, Image.Resampling.BOX)
        pixels = numpy.asarray(picture, dtype=numpy.float32)  # (H, W, 3)
        pixels = pixels * vignette(self.size)
        if has_grain:
            pixels = pixels + grain(self.size, seed % GRAIN_SHEETS)
        return Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))

    def _box(self, points: Sequence[Point], margin: float) -> Box:
        """Return the pixels around some points; shapes may reach over the picture's edge."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, top = (min(xs) - margin) * self.scale, (min(ys) - margin) * self.scale
        right, low = (max(xs) + margin) * self.scale, (max(ys) + margin) * self.scale
        return (
            math.floor(left),
            math.floor(top),
            max(math.ceil(right), math.floor(left) + 1) + 1,
            max(math.ceil(low), math.floor(top) + 1) + 1,
        )

    def _apply(self, mask: Image.Image, box: Box, paint: Paint) -> None:
        """Lay paint on the picture where the mask says so."""
        source = paint if isinstance(paint, tuple) else swatch(paint, mask.size)
        self.image.paste(source, box, mask)


def blank_mask(box: Box) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an empty mask of a box's size and the pen that draws on it."""
    mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
    return mask, ImageDraw.Draw(mask)


def level(opacity: float) -> int:
    """Return an opacity in [0, 1] as a mask value."""
    return round(255 * opacity)


def scaled(strength: float) -> list[int]:
    """Return the table that weakens a mask."""
    return [min(255, round(value * strength)) for value in range(256)]


def swatch(paint: Paint, size: tuple[int, int]) -> Image.Image:
    """Return a piece of paint of the given size."""
    if isinstance(paint, tuple):
        return Image.new("RGB", size, paint)
    strip = numpy.array(paint.colours, dtype=numpy.uint8)
    shaped = strip[None, :, :] if paint.is_horizontal else strip[:, None, :]
    edge = 0.5  # sample between the centres of the first and the last colour: no flat ends
    count = len(paint.colours)
    part = (edge, 0, count - edge, 1) if paint.is_horizontal else (0, edge, 1, count - edge)
    # Blend along one pixel's line, then repeat it: a third of the time of blending everywhere.
    thin = (size[0], 1) if paint.is_horizontal else (1, size[1])
    line = Image.fromarray(shaped).resize(thin, Image.Resampling.BILINEAR, box=part)
    return line.resize(size, Image.Resampling.NEAREST)


@lru_cache(maxsize=1)
def soft_spot() -> Image.Image:
    """Return a mask that falls from full in the middle to nothing at its edge."""
    axis = numpy.linspace(-1.0, 1.0, 129, dtype=numpy.float32)
    distance = numpy.sqrt(axis[None, :] ** 2 + axis[:, None] ** 2).clip(0.0, 1.0)
    fall = (1.0 - distance) ** 2 * (1.0 + 2.0 * distance)  # smoothstep: no visible rim
    return Image.fromarray((255 * fall).astype(numpy.uint8))


@lru_cache(maxsize=8)
def vignette(size: tuple[int, int]) -> NDArray[numpy.float32]:
    """Return the factors that darken a picture's corners a little, (H, W, 1)."""
    across_, down_ = (numpy.linspace(-1.0, 1.0, n, dtype=numpy.float32) for n in size)
    distance = across_[None, :] ** 2 + down_[:, None] ** 2
    return (1.0 - 0.045 * distance)[:, :, None].astype(numpy.float32)


@lru_cache(maxsize=2 * GRAIN_SHEETS)
def grain(size: tuple[int, int], seed: int) -> NDArray[numpy.float32]:
    """Return a sheet of paper grain, (H, W, 1)."""
    noise = numpy.random.default_rng(seed).standard_normal((size[1], size[0], 1), numpy.float32)
    return noise * numpy.float32(GRAIN_LEVELS)


def point_on(centre: Point, radius: float, turn: float, flat: float = 1.0) -> Point:
    """Return the point of a circle at `turn` full turns, clockwise from the right."""
    angle = 2 * math.pi * turn
    return centre[0] + radius * math.cos(angle), centre[1] + radius * flat * math.sin(angle)


def smooth(points: Sequence[Point], rounds: int = 3, *, closed: bool = False) -> list[Point]:
    """Return the curve that an open or closed polygon suggests (Chaikin's corner cutting)."""
    curve = list(points)
    for _ in range(rounds):
        pairs = list(zip(curve, curve[1:] + curve[:1] if closed else curve[1:], strict=False))
        cut = [
            ((1 - t) * a[0] + t * b[0], (1 - t) * a[1] + t * b[1])
            for a, b in pairs
            for t in (0.25, 0.75)
        ]
        curve = cut if closed else [curve[0], *cut, curve[-1]]
    return curve


def mirrored(profile: Sequence[Point], centre_x: float) -> list[Point]:
    """Return the outline of a turned thing from the (half width, y) points of its right side."""
    right = [(centre_x + half, y) for half, y in profile]
    left = [(centre_x - half, y) for half, y in reversed(profile)]
    return right + left


def as_webp(picture: Image.Image) -> bytes:
    """Return the picture's file."""
    file = BytesIO()
    picture.save(file, "WEBP", quality=WEBP_QUALITY, method=2)
    return file.getvalue()


def as_animation(pictures: Sequence[Image.Image], frame_ms: int) -> bytes:
    """Return the file of an endless animation."""
    file = BytesIO()
    pictures[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=list(pictures[1:]),
        duration=frame_ms,
        loop=0,
        quality=80,
        method=1,
        kmin=0,
        kmax=1,  # whole frames: where frames are stored as differences, soft light shows seams
    )
    return file.getvalue()
