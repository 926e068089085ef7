"""Painters of places: hills, deserts, seas, forests, towns and the sky above them."""

import math

from origin.dataset.art.canvas import Paint, Point, across, down, point_on, smooth
from origin.dataset.art.palette import Colour, darker, lighter, mix
from origin.dataset.art.scene import Scene


def sky(scene: Scene, horizon_light: float = 0.35) -> None:
    """Fill the picture with a sky that is lighter towards the horizon."""
    high, low = scene.colours.ground, scene.colours.paper
    if scene.colours.is_dark:
        high, low = darker(high, 0.25), mix(low, scene.colours.main, 0.25)
    scene.canvas.fill(down(high, mix(high, low, 0.6), lighter(low, horizon_light * 0.4)))


def stars(scene: Scene, count: int, low: float) -> None:
    """Scatter stars that twinkle, down to a height."""
    for number in range(count):
        x, y = scene.dice.random(), scene.dice.uniform(0.0, low)
        size = scene.dice.choice((0.003, 0.004, 0.006)) * (1 + scene.sway(0.35, number * 0.37))
        scene.canvas.ellipse((x, y), size, lighter(scene.colours.accent, 0.75), opacity=0.9)


def sun(scene: Scene, centre: Point, radius: float, tone: Colour) -> None:
    """A sun or moon with its light."""
    scene.canvas.glow(centre, radius * 3.2, lighter(tone, 0.35), 0.55)
    scene.canvas.ellipse(centre, radius, down(lighter(tone, 0.45), tone))


def ridge(scene: Scene, y: float, high: float, paint: Paint, steps: int = 7) -> None:
    """One row of rounded hills that reaches down over the lower edge."""
    line = [
        (-0.15 + 1.3 * i / steps, y + scene.dice.uniform(-high, high)) for i in range(steps + 1)
    ]
    scene.canvas.polygon([*smooth(line), (1.2, 1.5), (-0.2, 1.5)], paint)


def peaks(scene: Scene, y: float, high: float, tone: Colour, count: int) -> None:
    """One row of pointed mountains, each with a lit and a shaded side."""
    for number in range(count):
        x = (number + scene.dice.uniform(0.2, 0.8)) / count
        tall, half = high * scene.dice.uniform(0.6, 1.0), high * scene.dice.uniform(0.5, 0.75)
        top, foot = (x, y - tall), y + 0.02
        scene.canvas.polygon(
            [top, (x - half, foot), (x + half, foot)], down(lighter(tone, 0.3), tone)
        )
        bend = (x + half * 0.12, y - tall * 0.45)
        side = [top, bend, (x - half * 0.10, foot), (x + half, foot)]
        scene.canvas.polygon(side, down(darker(tone, 0.10), darker(tone, 0.25)))
    scene.canvas.block((-0.1, y), (1.2, 1.5 - y), darker(tone, 0.12))


def draw_hills(scene: Scene) -> None:
    """An evening sky over three rows of hills."""
    dice, colours = scene.dice, scene.colours
    scene.canvas.fill(down(scene.tint(0.75), lighter(scene.tint(0.25), 0.35)))
    sun(scene, (dice.uniform(0.2, 0.8), 0.36 + scene.sway(0.008)), 0.10, lighter(colours.warm, 0.2))
    for row in range(3):
        tone = mix(colours.ground, darker(colours.cool, 0.25), 0.30 + 0.25 * row)
        ridge(scene, 0.62 + 0.13 * row, 0.08, down(tone, lighter(tone, 0.12)))


def paint_adventure(scene: Scene) -> None:
    """Mountains, a sun and a road that leads there."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    sky(scene)
    sun(scene, (dice.uniform(0.25, 0.75), 0.40 + scene.sway(0.010)), 0.13, colours.warm)
    far = mix(colours.ground, colours.cool, 0.45)
    peaks(scene, 0.74, dice.uniform(0.30, 0.42), far, 3)
    ridge(scene, 0.80, 0.03, mix(far, darker(colours.cool, 0.4), 0.6))
    near = darker(colours.cool, 0.50)
    ridge(scene, 0.93, 0.03, down(near, darker(near, 0.35)))
    bend = dice.uniform(-0.2, 0.2)
    left = smooth([(0.5, 0.93), (0.52 + bend, 1.0), (0.40 + bend, 1.07), (0.28, 1.3)])
    right = smooth([(0.505, 0.93), (0.545 + bend, 1.0), (0.50 + bend, 1.07), (0.62, 1.3)])
    canvas.polygon(left + right[::-1], lighter(mix(colours.warm, colours.paper, 0.5), 0.3))


def paint_western(scene: Scene) -> None:
    """A desert with table mountains under a large sun."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    sky(scene)
    sun(scene, (dice.uniform(0.3, 0.7), 0.62 + scene.sway(0.012)), 0.24, colours.warm)
    for number in range(3):
        x, wide = dice.uniform(-0.05, 0.9), dice.uniform(0.10, 0.22)
        top, tone = dice.uniform(0.56, 0.74), mix(colours.warm, colours.ink, 0.35 + 0.12 * number)
        shape = [(x - wide * 0.5, top), (x + wide * 0.5, top), (x + wide * 0.62, top + 0.10)]
        shape += [(x + wide, 0.95), (x - wide, 0.95), (x - wide * 0.62, top + 0.10)]
        canvas.polygon(shape, across(lighter(tone, 0.12), tone, darker(tone, 0.2)))
    sand = mix(colours.warm, colours.ink, 0.45)
    ridge(scene, 0.93, 0.015, down(sand, darker(sand, 0.5)))
    for _ in range(2):
        saguaro(scene, dice.uniform(0.1, 0.9), dice.uniform(0.16, 0.30))


def saguaro(scene: Scene, x: float, tall: float) -> None:
    """A cactus against the light."""
    ink, foot = darker(scene.colours.ink, 0.2), 1.10
    scene.canvas.line([(x, foot), (x, foot - tall)], tall * 0.16, ink)
    for side, share in ((-1, 0.45), (1, 0.6)):
        y, out = foot - tall * share, x + side * tall * 0.26
        path = smooth([(x, y), (out, y), (out, y - tall * 0.06), (out, y - tall * 0.28)], 2)
        scene.canvas.line(path, tall * 0.11, ink)


def paint_romance(scene: Scene) -> None:
    """A low sun over the sea, doubled by the water."""
    canvas, colours, x = scene.canvas, scene.colours, scene.dice.uniform(0.36, 0.64)
    warm = lighter(colours.warm, 0.15)
    canvas.fill(down(colours.ground, mix(colours.ground, warm, 0.55), lighter(warm, 0.5)))
    horizon, radius = 0.74, scene.dice.uniform(0.20, 0.26)
    sun(scene, (x - radius * 0.32, horizon - 0.12), radius, warm)
    canvas.ellipse(
        (x + radius * 0.55, horizon - 0.06), radius * 0.82, lighter(colours.cool, 0.15), 0.72
    )
    water = mix(colours.ground, colours.ink, 0.35)
    canvas.block((-0.1, horizon), (1.2, 0.7), down(mix(water, warm, 0.45), darker(water, 0.2)))
    for row in range(11):
        y, share = horizon + 0.022 + row * 0.043, row / 11
        shift = scene.sway(0.03, row * 0.17) + scene.dice.uniform(-0.05, 0.05)
        half = radius * (1.05 - 0.7 * share) * scene.dice.uniform(0.6, 1.0)
        tone = mix(lighter(warm, 0.45), water, share * 0.7)
        canvas.line([(x + shift - half, y), (x + shift + half, y)], 0.012, tone, opacity=0.85)


def paint_horror(scene: Scene) -> None:
    """A bare forest before a huge moon."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    sky(scene)
    moon = (dice.uniform(0.35, 0.65), 0.46)
    sun(scene, moon, dice.uniform(0.22, 0.28), lighter(colours.main, 0.05))
    for layer in range(3):
        tone = mix(colours.ground, colours.ink, 0.35 + 0.3 * layer)
        for _ in range(6 - layer):
            bare_tree(scene, dice.uniform(-0.05, 1.05), 0.010 + 0.008 * layer, tone)
        canvas.haze((0.5 + scene.sway(0.06, layer * 0.3), 0.98), 0.9, 0.16, colours.main, 0.18)
    ridge(scene, 1.10, 0.02, darker(colours.ink, 0.3))


def bare_tree(scene: Scene, x: float, width: float, tone: Colour) -> None:
    """A trunk with a few bent branches."""
    dice, top = scene.dice, scene.dice.uniform(-0.05, 0.25)
    lean = dice.uniform(-0.05, 0.05)
    trunk = [(x - width, 1.3), (x + width, 1.3), (x + lean + width * 0.3, top)]
    scene.canvas.polygon([*trunk, (x + lean - width * 0.3, top)], tone)
    for _ in range(5):
        share, side = dice.uniform(0.25, 0.9), dice.choice((-1, 1))
        start = (x + lean * share, 1.3 + (top - 1.3) * share)
        reach = dice.uniform(0.08, 0.20) * side
        bend = (start[0] + reach * 0.6, start[1] - 0.02)
        tip = (start[0] + reach, start[1] - dice.uniform(0.10, 0.2))
        scene.canvas.line(smooth([start, bend, tip], 2), width * 0.5, tone)


def paint_fantasy(scene: Scene) -> None:
    """A castle on a rock above the mist, under stars."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    sky(scene)
    stars(scene, 40, 0.6)
    sun(scene, (dice.uniform(0.2, 0.8), 0.26), 0.09, colours.accent)
    peaks(scene, 0.86, 0.44, mix(colours.ground, colours.main, 0.28), 4)
    x, stone = dice.uniform(0.38, 0.62), mix(colours.ink, colours.main, 0.16)
    rock = [(x - 0.34, 1.3), (x - 0.15, 0.84), (x + 0.15, 0.82), (x + 0.36, 1.3)]
    canvas.polygon(rock, down(stone, darker(stone, 0.4)))
    for offset, top, half in ((-0.11, 0.58, 0.040), (0.11, 0.54, 0.036), (0.0, 0.42, 0.055)):
        tower(scene, x + offset, top, half, stone)
    for row in range(3):
        mist = (0.5 + scene.sway(0.08, row / 3), 1.02 + 0.09 * row)
        canvas.haze(mist, 0.85, 0.13, lighter(colours.paper, 0.2), 0.42)


def tower(scene: Scene, x: float, top: float, half: float, stone: Colour) -> None:
    """A tower with a pointed roof and lit windows."""
    canvas, roof = scene.canvas, scene.colours.main
    canvas.block((x - half, top), (2 * half, 0.90 - top), across(lighter(stone, 0.16), stone))
    canvas.polygon(
        [(x, top - half * 3.4), (x - half * 1.35, top), (x + half * 1.35, top)],
        across(lighter(roof, 0.15), darker(roof, 0.25)),
    )
    for row in range(2):
        y = top + 0.05 + row * 0.09
        canvas.arch((x - half * 0.26, y), (half * 0.52, 0.036), lighter(scene.colours.accent, 0.3))


def paint_war(scene: Scene) -> None:
    """Searchlights over a dark horizon."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    sky(scene)
    canvas.glow((0.5, 1.0), 0.75, colours.main, 0.65)
    beam = lighter(colours.accent, 0.35)
    for number in range(4):
        x = 0.12 + 0.25 * number + dice.uniform(-0.05, 0.05)
        turn = 0.75 + dice.uniform(-0.07, 0.07) + scene.sway(0.012, number * 0.27)
        left, right = point_on((x, 1.02), 1.4, turn - 0.012), point_on((x, 1.02), 1.4, turn + 0.012)
        canvas.polygon([(x, 1.02), left, right], beam, 0.30)
    ridge(scene, 0.98, 0.03, darker(colours.ink, 0.1), 9)
    for number in range(7):
        x = (number + dice.uniform(0.1, 0.9)) / 7
        canvas.line([(x, 1.02), (x + dice.uniform(-0.02, 0.02), 0.90)], 0.006, colours.ink)
    ridge(scene, 1.08, 0.03, darker(colours.ink, 0.4), 9)


def paint_city(scene: Scene) -> None:
    """A town at night with lit windows."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    sky(scene)
    sun(scene, (dice.uniform(0.2, 0.8), 0.30), 0.11, lighter(colours.warm, 0.1))
    for layer in range(3):
        tone = mix(colours.ground, colours.ink, 0.35 + 0.28 * layer)
        x = -0.05
        while x < 1.0:
            wide = dice.uniform(0.10, 0.19)
            top = dice.uniform(0.36, 0.60) + 0.14 * layer
            canvas.block((x, top), (wide * 0.96, 1.4 - top), down(lighter(tone, 0.08), tone))
            lit_windows(scene, (x, top), wide * 0.96, layer)
            x += wide
    canvas.haze((0.5, 1.25), 0.9, 0.22, colours.main, 0.45)


def lit_windows(scene: Scene, corner: Point, wide: float, layer: int) -> None:
    """Some windows of a house, of which a few go on and off."""
    columns, size = max(2, round(wide / 0.035)), 0.011 + 0.003 * layer
    gap = wide / columns
    for row in range(math.ceil((1.2 - corner[1]) / 0.05)):
        for column in range(columns):
            luck = scene.dice.random()
            if luck < 0.34 - 0.04 * layer and (luck > 0.05 or scene.sway(1.0, 20 * luck) > 0):
                x, y = corner[0] + gap * (column + 0.5) - size / 2, corner[1] + 0.03 + 0.05 * row
                tone = lighter(scene.colours.warm, 0.45)
                scene.canvas.block((x, y), (size, size * 1.5), tone, opacity=0.9)


def paint_space(scene: Scene) -> None:
    """A planet with its ring among the stars."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    canvas.fill(down(darker(colours.ground, 0.35), mix(colours.ground, colours.paper, 0.6)))
    stars(scene, 70, 1.25)
    centre, radius = (dice.uniform(0.40, 0.60), dice.uniform(0.52, 0.66)), dice.uniform(0.23, 0.29)
    canvas.glow(centre, radius * 2.3, colours.main, 0.55)
    ring_tone, tilt = lighter(colours.accent, 0.35), dice.uniform(-0.32, 0.32)
    orbit = [orbit_point(centre, radius * 1.75, i / 96, tilt) for i in range(97)]
    canvas.line(orbit[48:], 0.026, ring_tone, opacity=0.55)
    canvas.ellipse(
        centre, radius, across(lighter(colours.main, 0.4), colours.main, darker(colours.main, 0.75))
    )
    for band in range(3):
        y = centre[1] - radius * 0.45 + band * radius * 0.42
        half = math.sqrt(max(radius**2 - (y - centre[1]) ** 2, 0.0)) * 0.97
        canvas.line(
            [(centre[0] - half, y), (centre[0] + half, y)],
            radius * 0.08,
            darker(colours.main, 0.35),
            opacity=0.28,
        )
    canvas.line(orbit[:49], 0.026, ring_tone)
    moon = orbit_point(centre, radius * 1.75, 0.12 + scene.phase, tilt)
    canvas.ellipse(moon, 0.036, across(lighter(colours.accent, 0.5), colours.accent))


def orbit_point(centre: Point, radius: float, turn: float, tilt: float) -> Point:
    """Return a point of a flat, tilted ellipse."""
    x, y = radius * math.cos(2 * math.pi * turn), radius * 0.24 * math.sin(2 * math.pi * turn)
    return (
        centre[0] + x * math.cos(tilt) - y * math.sin(tilt),
        centre[1] + x * math.sin(tilt) + y * math.cos(tilt),
    )
