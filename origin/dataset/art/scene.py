"""What a painter works with: a surface, five colours, seeded dice and the moment of a clip."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from origin.dataset.art.canvas import Canvas, Point, across, down
from origin.dataset.art.palette import Colour, Palette, darker, lighter, mix


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture's circumstances; `phase` runs from 0 to 1 through a clip that repeats."""

    canvas: Canvas
    colours: Palette
    dice: random.Random
    phase: float
    title: str = ""

    def pick(self, painters: Mapping[str, "Painter"]) -> "Painter":
        """Return the painter whose name the item's title holds, else a seeded one."""
        chance = self.dice.choice(list(painters.values()))
        return next((paint for name, paint in painters.items() if name in self.title), chance)

    def sway(self, amount: float, offset: float = 0.0, turns: int = 1) -> float:
        """Return a movement between -amount and amount that closes with the clip."""
        return amount * math.sin(2 * math.pi * (turns * self.phase + offset))

    def tint(self, share: float) -> Colour:
        """Return the tone between the two colours of the background."""
        return mix(self.colours.paper, self.colours.ground, share)

    def hues(self) -> list[Colour]:
        """Return the two strong colours, in seeded order."""
        pair = [self.colours.main, self.colours.accent]
        return pair if self.dice.random() < 0.72 else pair[::-1]


Painter = Callable[[Scene], None]

FLOOR = 1.04  # where the things of a stage stand, in shares of the width


def round_light(colour: Colour) -> list[Colour]:
    """Return a colour as it runs around a cylinder that is lit from the left."""
    return [
        mix(colour, darker(colour), 0.35),
        lighter(colour, 0.22),
        lighter(colour, 0.08),
        colour,
        darker(colour, 0.20),
        darker(colour, 0.34),
    ]


def set_stage(scene: Scene) -> None:
    """Draw the wall, one large quiet shape and the floor that a thing stands on."""
    canvas = scene.canvas
    canvas.fill(down(lighter(scene.tint(0.25), 0.12), scene.tint(0.65)))
    scene.dice.choice(STAGES)(scene)
    draw_floor(scene)


def draw_floor(scene: Scene) -> None:
    """Draw the floor with the light that falls on it."""
    canvas, edge = scene.canvas, FLOOR - 0.10
    near = darker(scene.tint(1.0), 0.10)
    canvas.block((-0.1, edge), (1.2, canvas.bottom - edge + 0.1), down(scene.tint(0.85), near))
    canvas.haze((0.5, edge + 0.12), 0.62, 0.12, lighter(scene.tint(0.2), 0.3), 0.35)


def stage_with_disc(scene: Scene) -> None:
    """Put a large disc behind the thing."""
    x = 0.5 + scene.dice.uniform(-0.10, 0.10)
    tone = mix(scene.colours.ground, scene.colours.main, 0.30)
    paint = down(lighter(tone, 0.28), tone)
    scene.canvas.ellipse((x, 0.56), scene.dice.uniform(0.30, 0.38), paint)


def stage_with_arch(scene: Scene) -> None:
    """Put a doorway behind the thing."""
    tone = mix(scene.colours.ground, scene.colours.main, 0.22)
    wide = scene.dice.uniform(0.52, 0.64)
    left = 0.5 - wide / 2 + scene.dice.uniform(-0.06, 0.06)
    scene.canvas.arch((left, 0.16), (wide, 0.95), down(darker(tone, 0.06), lighter(tone, 0.30)))
    inner = 0.035
    scene.canvas.arch(
        (left + inner, 0.16 + inner), (wide - 2 * inner, 0.95), down(tone, lighter(tone, 0.38))
    )


def stage_with_window_light(scene: Scene) -> None:
    """Let a window's light fall across the wall."""
    shift, slope = scene.dice.uniform(-0.05, 0.10), 0.24
    shine = lighter(scene.colours.paper, 0.55)
    for column in (0, 1):
        for row in (0, 1):
            left, top = 0.14 + shift + 0.31 * column, 0.14 + 0.37 * row + 0.03 * column
            shape = [(left, top + slope * 0.3), (left + 0.28, top), (left + 0.28, top + 0.33)]
            scene.canvas.polygon([*shape, (left, top + 0.33 + slope * 0.3)], shine, 0.42)


def stage_with_two_tones(scene: Scene) -> None:
    """Paint a part of the wall in another tone."""
    tone = mix(scene.colours.ground, scene.colours.accent, 0.22)
    edge = scene.dice.uniform(0.30, 0.62)
    if scene.dice.random() < 0.5:
        scene.canvas.block((edge, -0.1), (1.2, 1.5), down(lighter(tone, 0.15), tone))
    else:
        scene.canvas.polygon([(-0.1, 0.9), (1.1, edge * 0.7), (1.1, 1.4), (-0.1, 1.4)], tone, 0.9)


def stage_with_steps(scene: Scene) -> None:
    """Build two blocks beside the thing."""
    side = scene.dice.choice((-1, 1))
    for step, (offset, top) in enumerate(((0.36, 0.52), (0.17, 0.74))):
        tone = mix(scene.colours.ground, scene.colours.main, 0.14 + 0.10 * step)
        x = 0.5 + side * offset - 0.14
        scene.canvas.block((x, top), (0.30, 0.50), across(*round_light(tone)[1:5]), 0.012)


STAGES: Sequence[Painter] = (
    stage_with_disc,
    stage_with_disc,
    stage_with_arch,
    stage_with_arch,
    stage_with_window_light,
    stage_with_two_tones,
    stage_with_steps,
)


def stand(scene: Scene, x: float, half_width: float) -> None:
    """Draw the shadow of a thing that stands on the floor."""
    scene.canvas.shadow((x + 0.02, FLOOR), half_width, 0.035, scene.colours.ink)


def pass_light(scene: Scene) -> None:
    """Let a soft light wander over the picture once per clip; it starts and ends outside."""
    x = -0.45 + 1.9 * scene.phase
    scene.canvas.haze((x, 0.55), 0.40, 1.1, (255, 250, 238), 0.28)


def leaf(base: Point, tip: Point, width: float) -> list[Point]:
    """Return the outline of a leaf from its stalk to its tip."""
    (x0, y0), (x1, y1) = base, tip
    across_x, across_y = -(y1 - y0) * width, (x1 - x0) * width
    outline: list[Point] = []
    for side in (1, -1):
        shares = [i / 12 for i in range(13)] if side == 1 else [i / 12 for i in range(12, -1, -1)]
        for share in shares:
            bulge = side * math.sin(math.pi * share**0.8) * 0.5
            outline.append(
                (
                    x0 + (x1 - x0) * share + across_x * bulge,
                    y0 + (y1 - y0) * share + across_y * bulge,
                )
            )
    return outline
