"""Painters of moods: compositions of simple shapes for genres that are no place and no thing."""

import math

from origin.dataset.art.canvas import Point, across, down, mirrored, point_on, smooth
from origin.dataset.art.palette import Colour, darker, lighter, mix
from origin.dataset.art.scene import Scene, round_light


def ground(scene: Scene) -> None:
    """Fill the picture with its quiet background."""
    scene.canvas.fill(down(scene.colours.paper, scene.colours.ground))


def paint_drama(scene: Scene) -> None:
    """Two profiles, one warm and one cool, that face each other or turn away."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    ground(scene)
    sun_y = dice.uniform(0.30, 0.42)
    canvas.glow((0.5, sun_y), 0.6, lighter(main, 0.6), 0.5)
    canvas.ellipse(
        (0.5, sun_y + scene.sway(0.008)),
        dice.uniform(0.17, 0.24),
        down(lighter(main, 0.55), lighter(main, 0.2)),
    )
    apart = dice.uniform(0.02, 0.07) + scene.sway(0.006)
    facing = dice.random() < 0.7
    for side, tone in ((-1, second), (1, main)):
        outline = profile(side if facing else -side)
        shift = 0.5 + side * (apart + (0.0 if facing else 0.42))
        shape = [(shift + x, 0.30 + y) for x, y in outline]
        canvas.polygon(shape, down(tone, darker(tone, 0.45)), 0.96)


def profile(side: int) -> list[Point]:
    """Return a head and shoulder seen from the side; the face looks towards x = 0."""
    face = [
        (0.23, 0.10),
        (0.14, 0.06),
        (0.07, 0.12),
        (0.055, 0.20),
        (0.045, 0.26),
        (0.012, 0.335),
        (0.045, 0.355),
        (0.040, 0.385),
        (0.028, 0.405),
        (0.045, 0.425),
        (0.034, 0.450),
        (0.060, 0.480),
        (0.060, 0.530),
        (0.105, 0.560),
        (0.165, 0.555),
        (0.175, 0.66),
        (0.10, 0.75),
        (0.04, 0.84),
        (0.02, 1.1),
        (0.70, 1.1),
        (0.62, 0.80),
        (0.44, 0.70),
        (0.385, 0.60),
        (0.43, 0.42),
        (0.42, 0.22),
        (0.34, 0.10),
    ]
    return [(side * x, y) for x, y in smooth(face, 2, closed=True)]


def paint_comedy(scene: Scene) -> None:
    """Balls and half moons that tumble."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    ground(scene)
    tones = [main, second, lighter(main, 0.5), lighter(second, 0.45), scene.colours.ink]
    canvas.ellipse((0.5, 0.60), 0.40, lighter(scene.colours.paper, 0.35), 0.75)
    smile = [point_on((0.5, 0.56), 0.27, i / 64) for i in range(33)]
    canvas.polygon(smile, across(*round_light(main)))
    for side in (-1, 1):
        eye = (0.5 + side * 0.14, 0.40 + scene.sway(0.012, 0.1 * side))
        canvas.ellipse(eye, 0.058, scene.colours.ink)
        canvas.ellipse((eye[0] - 0.018, eye[1] - 0.018), 0.016, lighter(scene.colours.paper, 0.6))
    for number in range(13):
        turn = number / 13 + dice.uniform(-0.02, 0.02) + scene.sway(0.01, number * 0.3)
        centre = point_on((0.5, 0.60), dice.uniform(0.47, 0.60), turn, 1.15)
        radius = dice.uniform(0.025, 0.065)
        tone = dice.choice(tones)
        canvas.ellipse(centre, radius, down(lighter(tone, 0.25), tone))


def paint_action(scene: Scene) -> None:
    """A burst of rays that rush towards the viewer."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    ground(scene)
    centre = (dice.uniform(0.32, 0.68), dice.uniform(0.42, 0.72))
    count = 2 * dice.randint(9, 13)
    spin = dice.random() + scene.sway(0.012)
    tones = [main, mix(main, scene.colours.ground, 0.55), darker(main, 0.35), second]
    for number in range(count):
        start = spin + (number + dice.uniform(-0.2, 0.2)) / count
        wide = dice.uniform(0.25, 0.62) / count
        outer = [point_on(centre, 1.6, start), point_on(centre, 1.6, start + wide)]
        paint = tones[number % 3] if dice.random() < 0.85 else second
        inner = point_on(centre, dice.uniform(0.05, 0.25), start + wide / 2)
        canvas.polygon([inner, *outer], paint, 0.92)
    canvas.glow(centre, 0.42, (255, 246, 222), 0.95)
    star = [
        point_on(centre, (0.19, 0.085)[i % 2] * (1 + scene.sway(0.06, i / 7, 2)), i / 16 + 0.02)
        for i in range(16)
    ]
    canvas.polygon(star, down((255, 252, 240), lighter(main, 0.55)))


def paint_thriller(scene: Scene) -> None:
    """Rings that draw the eye into the depth, and someone who falls."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    ground(scene)
    centre = (dice.uniform(0.42, 0.58), dice.uniform(0.54, 0.68))
    rings = dice.randint(7, 10)
    for ring in range(rings):
        share = 1 - (ring + scene.phase * 0) / rings
        wobble = (
            centre[0] + scene.sway(0.02, ring * 0.08) * share,
            centre[1] + dice.uniform(-0.02, 0.02) * share,
        )
        tone = (
            mix(scene.colours.ink, main, 0.15 + 0.75 * (1 - share))
            if ring % 2
            else (mix(scene.colours.ground, scene.colours.paper, 1 - share))
        )
        canvas.ellipse(wobble, 0.78 * share**1.25, down(lighter(tone, 0.10), darker(tone, 0.10)))
    canvas.ellipse(centre, 0.035, lighter(second, 0.3))


def paint_crime(scene: Scene) -> None:
    """Light that falls through blinds on a figure in a hat."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    canvas.fill(down(colours.ground, darker(colours.ground, 0.4)))
    light, slope = lighter(colours.main, 0.3), dice.uniform(-0.16, 0.16)
    canvas.glow((0.5, 0.5), 0.7, colours.main, 0.45)
    for slat in range(15):
        y = -0.05 + slat * 0.088 + scene.sway(0.006)
        shape = [(-0.05, y), (1.05, y + slope), (1.05, y + slope + 0.045), (-0.05, y + 0.045)]
        canvas.polygon(shape, light, 0.62)
    ink, x = darker(colours.ink, 0.2), dice.uniform(0.40, 0.60)
    body = smooth(
        [
            (x - 0.42, 1.4),
            (x - 0.36, 0.92),
            (x - 0.10, 0.80),
            (x - 0.08, 0.70),
            (x + 0.08, 0.70),
            (x + 0.10, 0.80),
            (x + 0.36, 0.92),
            (x + 0.42, 1.4),
        ]
    )
    canvas.polygon(body, ink)
    canvas.ellipse((x, 0.60), 0.105, ink, flat=1.25)
    canvas.ellipse((x, 0.535), 0.21, ink, flat=0.20)
    crown = [(x - 0.125, 0.53), (x - 0.105, 0.38), (x, 0.40), (x + 0.105, 0.38), (x + 0.125, 0.53)]
    canvas.polygon(smooth(crown, 2), ink)
    canvas.polygon(
        [(x - 0.123, 0.525), (x + 0.123, 0.525), (x + 0.119, 0.485), (x - 0.119, 0.485)],
        colours.main,
    )


def paint_mystery(scene: Scene) -> None:
    """A door that stands ajar, and the light behind it."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    canvas.fill(down(darker(colours.ground, 0.3), colours.ground))
    floor_y, x = 0.92, dice.uniform(0.40, 0.56)
    canvas.block(
        (-0.1, floor_y), (1.2, 0.5), down(darker(colours.ground, 0.15), darker(colours.ground, 0.5))
    )
    light = lighter(colours.main, 0.45)
    canvas.glow((x, 0.62), 0.70, colours.main, 0.55 + scene.sway(0.10))
    spread = dice.uniform(0.16, 0.30)
    canvas.polygon(
        [(x - 0.12, floor_y), (x + 0.12, floor_y), (x + 0.2 + spread, 1.3), (x - 0.2, 1.3)],
        down(light, mix(light, colours.ground, 0.85)),
        0.75,
    )
    canvas.arch((x - 0.15, 0.26), (0.30, floor_y - 0.26), darker(colours.ink, 0.1))
    canvas.arch((x - 0.12, 0.29), (0.24, floor_y - 0.29), down(lighter(light, 0.4), light))
    leaf_ = [(x + 0.12, 0.42), (x + 0.12, floor_y), (x + 0.25, floor_y + 0.07), (x + 0.25, 0.36)]
    canvas.polygon(leaf_, across(darker(colours.accent, 0.55), darker(colours.accent, 0.2)))
    canvas.ellipse((x + 0.225, 0.70), 0.011, light)
    figure = smooth(
        [
            (x - 0.035, floor_y + 0.01),
            (x - 0.045, 0.72),
            (x - 0.015, 0.67),
            (x + 0.02, 0.67),
            (x + 0.05, 0.72),
            (x + 0.04, floor_y + 0.01),
        ]
    )
    canvas.polygon(figure, colours.ink)
    canvas.ellipse((x + 0.003, 0.64), 0.030, colours.ink)


def paint_music(scene: Scene) -> None:
    """Bars that dance before a record."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    ground(scene)
    centre, radius = (0.5, 0.50), 0.33
    canvas.haze((0.53, 0.56), 0.50, 0.50, scene.colours.ink, 0.45)
    canvas.ellipse(centre, radius, darker(scene.colours.ink, 0.3))
    for groove in range(6):
        canvas.ring(
            centre,
            radius * (0.94 - 0.1 * groove),
            0.003,
            mix(scene.colours.ink, (255, 255, 255), 0.16),
        )
    for side in (0.0, 0.5):
        beam = [point_on(centre, radius, 0.1 + side + scene.phase + i / 160) for i in range(-7, 8)]
        canvas.polygon([centre, *beam], (255, 255, 255), 0.14)
    canvas.ellipse(centre, radius * 0.36, down(lighter(main, 0.2), main))
    canvas.ellipse(centre, 0.016, scene.colours.paper)
    for bar in range(13):
        high = dice.uniform(0.06, 0.24) * (1 + scene.sway(0.35, dice.random(), 2))
        x = 0.11 + bar * 0.065
        tone = mix(main, second, bar / 12)
        canvas.block((x - 0.018, 1.12 - high), (0.036, high), down(lighter(tone, 0.3), tone), 0.018)


def paint_sport(scene: Scene) -> None:
    """The lanes of a track and a runner's ball of light."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    canvas.fill(down(lighter(main, 0.1), darker(main, 0.18)))
    centre = (dice.choice((-0.05, 1.05)), dice.uniform(1.0, 1.25))
    for lane in range(7):
        canvas.ring(centre, 1.32 - lane * 0.15, 0.008, lighter(scene.colours.paper, 0.4))
    canvas.ellipse(centre, 0.28, down(second, darker(second, 0.3)))
    side = 1 if centre[0] < 0.5 else -1
    turn = (0.86 if side > 0 else 0.64) + scene.sway(0.02)
    for step in range(16):
        trail = point_on(centre, 0.945, turn - side * 0.009 * (16 - step))
        canvas.ellipse(trail, 0.012 + 0.0032 * step, lighter(second, 0.35), opacity=0.03 * step)
    ball = point_on(centre, 0.945, turn)
    canvas.haze((ball[0] + 0.02, ball[1] + 0.05), 0.12, 0.08, scene.colours.ink, 0.5)
    canvas.ellipse(ball, 0.082, across(lighter(second, 0.55), second, darker(second, 0.3)))


def paint_lens(scene: Scene) -> None:
    """The blades of a camera's aperture."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    ground(scene)
    centre, radius, blades_ = (0.5, 0.60), 0.38, dice.choice((6, 7, 8))
    canvas.haze((0.53, 0.67), 0.55, 0.55, scene.colours.ink, 0.4)
    canvas.ellipse(centre, radius, across(*round_light(scene.colours.ink)))
    canvas.ellipse(centre, radius * 0.9, lighter(second, 0.55))
    opening = 0.34 + scene.sway(0.05)
    for blade in range(blades_):
        turn = blade / blades_ + 0.04
        shape = [point_on(centre, radius * opening, turn)]
        shape += [point_on(centre, radius * 0.9, turn + i / (blades_ * 9)) for i in range(19)]
        shape.append(point_on(centre, radius * opening, turn + 1 / blades_))
        tone = mix(main, darker(main, 0.6), blade / blades_)
        canvas.polygon(shape, down(lighter(tone, 0.15), tone))
    canvas.ring(centre, radius, 0.018, darker(scene.colours.ink, 0.2))
    canvas.haze((0.38, 0.46), 0.14, 0.12, (255, 255, 255), 0.4)


def paint_portrait(scene: Scene) -> None:
    """One profile before a sunburst, as on a coin."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    ground(scene)
    side = dice.choice((-1, 1))
    canvas.ellipse((0.5, 0.58), 0.38, down(lighter(second, 0.35), second))
    for ray in range(36):
        ends = [point_on((0.5, 0.58), reach, ray / 36 + 0.007) for reach in (0.41, 0.46)]
        canvas.line(ends, 0.009, second, opacity=0.8)
    shape = [(0.5 - side * 0.22 + x, 0.30 + y) for x, y in profile(side)]
    canvas.polygon(shape, down(main, darker(main, 0.5)))
    glow = (0.5 - side * 0.10, 0.60 + scene.sway(0.02))
    canvas.haze(glow, 0.18, 0.25, lighter(main, 0.4), 0.28)


def paint_history(scene: Scene) -> None:
    """Columns in a low light."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    ground(scene)
    sun = (dice.uniform(0.25, 0.75), 0.44 + scene.sway(0.008))
    canvas.glow(sun, 0.5, lighter(colours.warm, 0.4), 0.6)
    canvas.ellipse(sun, 0.14, lighter(colours.warm, 0.25))
    stone = mix(lighter(colours.paper, 0.25), colours.cool, 0.18)
    count = dice.choice((3, 4, 5))
    canvas.block((0.06, 1.06), (0.88, 0.06), down(lighter(stone, 0.2), darker(stone, 0.2)))
    canvas.block((0.02, 1.12), (0.96, 0.2), down(stone, darker(stone, 0.35)))
    for number in range(count):
        x, top = 0.14 + 0.72 * number / (count - 1), 0.36
        broken = dice.random() < 0.25
        top += dice.uniform(0.15, 0.4) if broken else 0.0
        half = 0.19 / count
        canvas.polygon(mirrored([(half * 0.86, top), (half, 1.06)], x), across(*flutes(stone)))
        if not broken:
            canvas.block((x - half * 1.3, top - 0.03), (half * 2.6, 0.035), darker(stone, 0.08))
    if dice.random() < 0.6:
        canvas.block((0.04, 0.27), (0.92, 0.065), down(lighter(stone, 0.25), darker(stone, 0.15)))
        canvas.polygon(
            [(0.5, 0.10), (0.02, 0.27), (0.98, 0.27)],
            down(lighter(stone, 0.2), darker(stone, 0.12)),
        )


def flutes(stone: Colour) -> list[Colour]:
    """Return the light and shade on a fluted column."""
    shades: list[Colour] = []
    for groove in range(6):
        edge = darker(stone, 0.08 + 0.07 * groove)
        shades += [lighter(edge, 0.18), edge, darker(edge, 0.25)]
    return shades


def paint_family(scene: Scene) -> None:
    """Houses, a tree and balloons that rise."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    canvas.fill(down(scene.colours.ground, lighter(scene.colours.paper, 0.2)))
    for number in range(5):
        x, y = 0.12 + 0.19 * number, dice.uniform(0.20, 0.56) + scene.sway(0.02, number * 0.21)
        tone = dice.choice((main, second, lighter(main, 0.4), lighter(second, 0.35)))
        canvas.line([(x, y), (0.5 + (x - 0.5) * 0.5, 0.90)], 0.004, scene.colours.ink, opacity=0.5)
        canvas.ellipse((x, y), 0.078, across(*round_light(tone)), flat=1.2)
        canvas.haze((x - 0.028, y - 0.035), 0.03, 0.035, (255, 255, 255), 0.6)
    lawn = mix(scene.colours.cool, (104, 148, 92), 0.65)
    hill = [point_on((0.5, 2.15), 1.35, 0.5 + i / 64, 0.95) for i in range(33)]
    canvas.polygon(hill, down(lighter(lawn, 0.1), darker(lawn, 0.2)))
    house(scene, 0.5, 0.30, main)
    for side in (-1, 1):
        if dice.random() < 0.8:
            x = 0.5 + side * dice.uniform(0.24, 0.33)
            canvas.block((x - 0.012, 0.88), (0.024, 0.14), darker(scene.colours.ink, 0.1))
            canvas.ellipse((x, 0.84), 0.078, across(*round_light(darker(lawn, 0.15))), flat=1.15)


def house(scene: Scene, x: float, wide: float, tone: Colour) -> None:
    """A house with a pitched roof."""
    canvas, top, foot = scene.canvas, 0.80, 1.02
    wall = lighter(scene.colours.paper, 0.35)
    canvas.block((x - wide / 2, top), (wide, foot - top), across(wall, darker(wall, 0.12)))
    roof = [(x, top - 0.15), (x - wide * 0.62, top + 0.01), (x + wide * 0.62, top + 0.01)]
    canvas.polygon(roof, across(lighter(tone, 0.12), darker(tone, 0.15)))
    canvas.arch((x - 0.033, foot - 0.12), (0.066, 0.12), scene.colours.ink)
    for side in (-1, 1):
        canvas.block(
            (x + side * 0.095 - 0.025, top + 0.05),
            (0.05, 0.05),
            lighter(scene.colours.accent, 0.3),
            0.006,
        )


def paint_play(scene: Scene) -> None:
    """Building blocks stacked into a happy balance."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    ground(scene)
    canvas.ellipse((0.5, 0.52), 0.36, lighter(scene.colours.paper, 0.3), 0.6)
    tones = [main, second, lighter(main, 0.4), lighter(second, 0.35), darker(second, 0.25)]
    canvas.shadow((0.5, 1.09), 0.32, 0.04, scene.colours.ink)
    y = 1.09
    for number in range(dice.randint(4, 5)):
        tone = tones[number % len(tones)]
        half, high = dice.uniform(0.15, 0.25) - 0.018 * number, dice.uniform(0.13, 0.19)
        x = 0.5 + dice.uniform(-0.05, 0.05) + scene.sway(0.004 * number, 0.1)
        draw_piece(scene, dice.choice(("block", "arch", "drum")), (x, y), half, high, tone)
        y -= high
    x = 0.5 + scene.sway(0.016, 0.1)
    canvas.ellipse((x, y - 0.085), 0.085, across(*round_light(main)))
    canvas.haze((x - 0.03, y - 0.12), 0.04, 0.04, (255, 255, 255), 0.6)


def draw_piece(
    scene: Scene, kind: str, foot: Point, half: float, high: float, tone: Colour
) -> None:
    """One building block."""
    (x, y), canvas = foot, scene.canvas
    corner, size = (x - half, y - high), (2 * half, high)
    if kind == "drum":
        canvas.block(corner, size, across(*round_light(tone)), high / 2)
        return
    canvas.block(corner, size, across(lighter(tone, 0.16), tone, darker(tone, 0.16)), 0.008)
    if kind == "arch":
        hole = high * 0.62
        canvas.arch((x - hole * 0.6, y - hole), (hole * 1.2, hole), darker(tone, 0.5))


def paint_shapes(scene: Scene) -> None:
    """A quiet arrangement of arcs, discs and bars."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    ground(scene)
    tones = [main, second, mix(main, scene.colours.ground, 0.5), scene.colours.ink]
    x, y = dice.uniform(0.35, 0.65), dice.uniform(0.40, 0.55)
    canvas.ellipse(
        (x, y + scene.sway(0.01)), dice.uniform(0.20, 0.30), down(lighter(main, 0.3), main)
    )
    for number in range(3):
        turn, radius = dice.choice((0.0, 0.25, 0.5, 0.75)), dice.uniform(0.14, 0.26)
        centre = (dice.uniform(0.25, 0.75), dice.uniform(0.55, 1.0))
        half = [point_on(centre, radius, turn + i / 64 + scene.sway(0.006)) for i in range(33)]
        tone = tones[(number + 1) % 4]
        canvas.polygon(half, down(lighter(tone, 0.2), tone), 0.92)
    base = dice.uniform(0.98, 1.08)
    canvas.line([(0.14, base), (0.86, base)], 0.012, scene.colours.ink)
    for number in range(dice.randint(2, 4)):
        px = 0.2 + 0.18 * number
        canvas.line([(px, base), (px, base - dice.uniform(0.1, 0.4))], 0.012, scene.colours.ink)
        canvas.ellipse((px, base - math.sqrt(dice.random()) * 0.05), 0.024, second)


def paint_print(scene: Scene) -> None:
    """A framed picture on a wall."""
    canvas = scene.canvas
    canvas.fill(down(lighter(scene.tint(0.2), 0.2), scene.tint(0.6)))
    canvas.haze((0.54, 0.66), 0.52, 0.62, scene.colours.ink, 0.42)
    canvas.block((0.17, 0.17), (0.66, 0.86), mix(scene.colours.ink, (150, 105, 66), 0.6), 0.008)
    canvas.block((0.19, 0.19), (0.62, 0.82), lighter(scene.colours.paper, 0.65))
    frame_art(scene, (0.26, 0.27), (0.48, 0.66))
    canvas.polygon([(0.19, 0.19), (0.48, 0.19), (0.26, 1.01), (0.19, 1.01)], (255, 255, 255), 0.07)


def frame_art(scene: Scene, corner: Point, size: Point) -> None:
    """The picture inside the frame: sun, hills and arcs, clipped by its own edges."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    (x, y), (wide, tall) = corner, size
    canvas.block(corner, size, down(lighter(scene.colours.ground, 0.45), scene.colours.ground))
    sun = (x + wide * dice.uniform(0.3, 0.7), y + tall * dice.uniform(0.25, 0.4))
    canvas.ellipse(sun, wide * dice.uniform(0.16, 0.26), down(lighter(main, 0.2), main))
    low = y + tall
    for row in range(dice.randint(3, 4)):
        tone = (second, mix(main, second, 0.5), darker(second, 0.3), main)[row]
        level = y + tall * (0.50 + 0.14 * row)
        count = 6
        line = [
            (x + wide * i / count, level + dice.uniform(-0.06, 0.06) + scene.sway(0.006, row / 4))
            for i in range(count + 1)
        ]
        canvas.polygon([*smooth(line), (x + wide, low), (x, low)], down(lighter(tone, 0.15), tone))
