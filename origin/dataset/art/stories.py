"""Painters of small stories: one figure or one object, a light, and room to imagine the rest."""

import math

from origin.dataset.art.canvas import Point, across, down, mirrored, point_on, smooth
from origin.dataset.art.landscapes import sky, sun
from origin.dataset.art.palette import Colour, darker, lighter, mix
from origin.dataset.art.scene import Scene, round_light


def paint_wanderer(scene: Scene) -> None:
    """Somebody alone on a plain before a huge sun, with a long shadow."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    sky(scene)
    x, horizon = dice.uniform(0.34, 0.66), dice.uniform(0.84, 0.92)
    sun(
        scene, (x + dice.uniform(-0.1, 0.1), horizon - 0.20), dice.uniform(0.24, 0.32), colours.warm
    )
    land = mix(colours.cool, colours.ink, 0.25)
    canvas.block(
        (-0.1, horizon), (1.2, 0.6), down(mix(land, colours.warm, 0.35), darker(land, 0.4))
    )
    lean = dice.uniform(-0.28, 0.28)
    ink, foot = darker(colours.ink, 0.1), horizon + 0.055
    shade = [(x - 0.022, foot), (x + 0.022, foot), (x + lean + 0.07, 1.3), (x + lean - 0.07, 1.3)]
    canvas.polygon(shade, ink, 0.5)
    draw_figure(scene, (x, foot), 0.17, ink)


def draw_figure(scene: Scene, foot: Point, tall: float, ink: Colour) -> None:
    """A standing figure in a coat."""
    (x, y), canvas = foot, scene.canvas
    coat = [
        (tall * 0.06, y - tall * 0.80),
        (tall * 0.15, y - tall * 0.72),
        (tall * 0.14, y - tall * 0.45),
    ]
    coat += [(tall * 0.19, y - tall * 0.22), (tall * 0.10, y - tall * 0.20), (tall * 0.09, y)]
    canvas.polygon(mirrored(coat, x), ink)
    canvas.ellipse((x, y - tall * 0.90), tall * 0.085, ink, flat=1.15)


def paint_window(scene: Scene) -> None:
    """A window on a rainy evening, and a plant that waits on its sill."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    wall = darker(mix(colours.ground, colours.cool, 0.30), 0.25)
    canvas.fill(down(wall, darker(wall, 0.25)))
    left, top, wide, tall = 0.17, 0.14, 0.66, 0.82
    canvas.block(
        (left, top),
        (wide, tall),
        down(mix(colours.cool, colours.ink, 0.35), mix(colours.warm, colours.paper, 0.35)),
    )
    for _ in range(9):
        spot = (dice.uniform(0.2, 0.8), dice.uniform(0.45, 0.92))
        canvas.glow(spot, dice.uniform(0.04, 0.09), lighter(colours.warm, 0.35), 0.7)
    for number in range(46):
        x, speed = dice.uniform(left, left + wide - 0.03), dice.choice((1, 1, 2))
        y = top + (dice.random() + speed * scene.phase) % 1.0 * (tall - 0.06)
        long = dice.uniform(0.02, 0.055)
        canvas.line(
            [(x, y), (x - 0.004, min(y + long, top + tall))],
            0.004,
            lighter(colours.paper, 0.5),
            opacity=0.35 + 0.3 * (number % 2),
        )
    frame = lighter(mix(colours.paper, colours.ground, 0.3), 0.35)
    for x in (left - 0.02, left + wide / 2 - 0.012, left + wide - 0.015):
        canvas.block(
            (x, top - 0.02), (0.03, tall + 0.04), across(lighter(frame, 0.2), darker(frame, 0.12))
        )
    for y in (top - 0.02, top + tall * 0.42, top + tall - 0.01):
        canvas.block(
            (left - 0.02, y), (wide + 0.04, 0.03), down(lighter(frame, 0.2), darker(frame, 0.15))
        )
    canvas.block(
        (left - 0.07, top + tall + 0.01), (wide + 0.14, 0.05), down(frame, darker(frame, 0.3))
    )
    sill_plant(scene, (dice.choice((0.32, 0.68)), top + tall + 0.01))


def sill_plant(scene: Scene, foot: Point) -> None:
    """A potted plant against the light."""
    canvas, dice, (x, y) = scene.canvas, scene.dice, foot
    ink = darker(scene.colours.ink, 0.05)
    for number in range(7):
        turn = 0.58 + 0.34 * number / 6 + scene.sway(0.004, number / 7)
        tip = point_on((x, y - 0.09), dice.uniform(0.13, 0.21), turn)
        bend = point_on((x, y - 0.09), 0.09, 0.75 + (turn - 0.75) * 0.4)
        canvas.line(smooth([(x, y - 0.09), bend, tip]), 0.011, ink)
        canvas.ellipse(tip, 0.024, ink, flat=0.8)
    pot = [(0.062, y - 0.115), (0.045, y)]
    canvas.polygon(mirrored(pot, x), across(*round_light(mix(scene.colours.warm, ink, 0.35))))


def paint_waves(scene: Scene) -> None:
    """A paper boat on tall waves."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    sky(scene)
    sun(scene, (dice.uniform(0.22, 0.78), 0.32), dice.uniform(0.10, 0.15), colours.warm)
    boat_x, rows = dice.uniform(0.38, 0.62), 5
    for row in range(rows):
        share, level = row / (rows - 1), 0.62 + 0.12 * row
        tone = mix(lighter(colours.cool, 0.25), darker(colours.cool, 0.55), share)
        crest = [
            (
                x,
                level
                + 0.045 * math.sin(9 * x + 2.1 * row + 2 * math.pi * scene.phase * (-1) ** row),
            )
            for x in (-0.05 + i / 40 * 1.1 for i in range(41))
        ]
        if row == 2:
            nearest = min(crest, key=lambda point: abs(point[0] - boat_x))
            paper_boat(scene, (boat_x, nearest[1] + 0.02), scene.sway(0.03))
        canvas.polygon([*crest, (1.1, 1.4), (-0.1, 1.4)], down(lighter(tone, 0.10), tone))
        canvas.line(crest, 0.006, lighter(tone, 0.45), opacity=0.7)


def paper_boat(scene: Scene, keel: Point, tilt: float) -> None:
    """A folded boat."""
    (x, y), pale = keel, lighter(scene.colours.paper, 0.65)
    rise = tilt * 0.6
    sail = [(x - 0.075, y - 0.07 - rise), (x + 0.075, y - 0.07 + rise), (x + tilt, y - 0.22)]
    scene.canvas.polygon(sail, across(lighter(pale, 0.4), darker(pale, 0.12)))
    hull = [
        (x - 0.165, y - 0.11 - rise * 2),
        (x + 0.165, y - 0.11 + rise * 2),
        (x + 0.085, y + 0.02),
    ]
    scene.canvas.polygon([*hull, (x - 0.085, y + 0.02)], across(pale, darker(pale, 0.22)))


def paint_road(scene: Scene) -> None:
    """A fast car on a bend, the sun in its back."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    colours = scene.colours
    sky(scene)
    horizon = 0.62
    sun(scene, (dice.uniform(0.3, 0.7), horizon - 0.10), 0.21, colours.warm)
    land = mix(colours.cool, colours.ink, 0.35)
    canvas.block(
        (-0.1, horizon), (1.2, 0.8), down(mix(land, colours.warm, 0.35), darker(land, 0.25))
    )
    tar = mix(colours.ink, colours.ground, 0.18)
    canvas.polygon(
        [(0.485, horizon), (0.515, horizon), (1.25, 1.3), (-0.25, 1.3)],
        down(lighter(tar, 0.18), tar),
    )
    for dash in range(7):
        near = ((dash + scene.phase) / 7) ** 2.2
        y, half = horizon + near * 0.68, 0.002 + 0.016 * near
        canvas.block((0.5 - half, y), (2 * half, 0.008 + 0.075 * near), lighter(colours.paper, 0.5))
    for side in (-1, 1):
        for number in range(6):
            y = horizon + 0.04 + 0.09 * number
            start = 0.5 + side * (0.22 + 0.13 * number + dice.uniform(0.0, 0.1))
            end = start + side * dice.uniform(0.15, 0.4)
            canvas.line(
                [(start, y), (end, y + abs(end - start) * 0.35)],
                0.006,
                lighter(colours.warm, 0.45),
                opacity=0.45,
            )
    car(scene, (0.5 + dice.uniform(-0.07, 0.07), 1.06 + scene.sway(0.004, turns=3)), main, second)


def car(scene: Scene, foot: Point, paint: Colour, light: Colour) -> None:
    """A sports car seen from behind."""
    canvas, (x, y) = scene.canvas, foot
    canvas.shadow((x, y + 0.005), 0.22, 0.03, scene.colours.ink)
    for side in (-1, 1):
        canvas.block(
            (x + side * 0.155 - 0.035, y - 0.085),
            (0.07, 0.09),
            darker(scene.colours.ink, 0.4),
            0.02,
        )
    roof = [(0.085, y - 0.245), (0.105, y - 0.235), (0.150, y - 0.14), (0.155, y - 0.13)]
    canvas.polygon(mirrored(roof, x), across(*round_light(darker(paint, 0.12))))
    glass = [(0.080, y - 0.228), (0.128, y - 0.150)]
    canvas.polygon(
        mirrored(glass, x), down(lighter(scene.colours.cool, 0.3), darker(scene.colours.ink, 0.1))
    )
    body = [(0.165, y - 0.145), (0.205, y - 0.11), (0.205, y - 0.05), (0.185, y - 0.03)]
    canvas.polygon(
        mirrored(smooth(body, 2), x), down(lighter(paint, 0.25), paint, darker(paint, 0.3))
    )
    for side in (-1, 1):
        canvas.glow((x + side * 0.145, y - 0.095), 0.09, lighter(light, 0.2), 0.7)
        canvas.block(
            (x + side * 0.145 - 0.04, y - 0.107), (0.08, 0.022), lighter(light, 0.45), 0.011
        )
    canvas.block((x - 0.05, y - 0.075), (0.10, 0.028), lighter(scene.colours.paper, 0.5), 0.005)


def paint_stairs(scene: Scene) -> None:
    """A stairwell seen from above; somebody is already far below."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    centre, turn = (dice.uniform(0.45, 0.55), dice.uniform(0.56, 0.66)), dice.random()
    floors, corners = 11, dice.choice((4, 4, 60))
    wall = mix(colours.paper, colours.ink, 0.55)
    canvas.fill(wall)
    for floor in range(floors):
        share = 1 - floor / floors
        spin = turn + 0.016 * floor + scene.sway(0.004, floor * 0.05)
        reach = 1.35 * share**1.7 + 0.045
        step = mix(mix(colours.paper, wall, share), lighter(colours.warm, 0.2), (1 - share) ** 1.6)
        for size, tone in ((1.0, step), (0.88, darker(step, 0.45)), (0.80, darker(step, 0.62))):
            ring = [point_on(centre, reach * size, spin + i / corners) for i in range(corners)]
            canvas.polygon(ring, across(lighter(tone, 0.14), darker(tone, 0.14)))
    canvas.glow(centre, 0.30, lighter(colours.warm, 0.35), 0.9)
    canvas.ellipse((centre[0] + 0.012, centre[1]), 0.018, colours.ink)
    canvas.line(
        [(centre[0] + 0.012, centre[1]), (centre[0] + 0.045, centre[1] + 0.045)],
        0.011,
        colours.ink,
        opacity=0.55,
    )


def paint_fingerprint(scene: Scene) -> None:
    """A fingerprint under a magnifying glass."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    canvas.fill(down(scene.colours.paper, scene.colours.ground))
    x, y = dice.uniform(0.42, 0.50), 0.50
    ink = lighter(main, 0.25) if scene.colours.is_dark else mix(scene.colours.ink, main, 0.35)
    lean = dice.uniform(-0.05, 0.05)
    for ridge_ in range(10):
        half, top = 0.022 + 0.030 * ridge_, 0.028 + 0.036 * ridge_
        legs = 0.20 + 0.014 * ridge_ + dice.uniform(-0.05, 0.03)
        arc = [
            point_on((x + lean * ridge_ / 9, y), half, 0.5 + i / 48, top / half) for i in range(25)
        ]
        low = y + legs * (0.55 if ridge_ < 2 else 1.0)
        flare = 0.025 * ridge_ / 9
        line = [(arc[0][0] + flare + lean, low), *arc, (arc[-1][0] - flare + lean, low)]
        cut = dice.randint(2, 24)
        for part in (line[:cut], line[cut + 1 :]) if dice.random() < 0.6 else (line,):
            if len(part) > 1:
                canvas.line(smooth(part, 1), 0.0135, ink, opacity=0.9)
    lens = (x + 0.12 + scene.sway(0.05), y + 0.14 + scene.sway(0.03, 0.25))
    rim, end = point_on(lens, 0.22, 0.125), point_on(lens, 0.50, 0.125)
    canvas.line([rim, end], 0.062, darker(second, 0.3))
    canvas.haze((lens[0] + 0.03, lens[1] + 0.05), 0.32, 0.32, scene.colours.ink, 0.30)
    canvas.ellipse(lens, 0.22, lighter(scene.colours.paper, 0.35), opacity=0.25)
    canvas.ring(lens, 0.23, 0.028, across(*round_light(second)))
    canvas.haze((lens[0] - 0.08, lens[1] - 0.09), 0.09, 0.06, (255, 255, 255), 0.55)


def paint_iris(scene: Scene) -> None:
    """Somebody who turns around, seen through the grooves of a barrel."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    canvas.fill(darker(colours.ink, 0.25))
    centre = (dice.uniform(0.44, 0.56), dice.uniform(0.54, 0.64))
    spin = dice.random() + scene.sway(0.01)
    for groove in range(14):
        start = spin + groove / 14
        blade = [point_on(centre, 0.30 + 0.06 * step, start + 0.022 * step) for step in range(16)]
        blade += [
            point_on(centre, 0.30 + 0.06 * step, start + 0.022 * step + 0.032)
            for step in range(15, -1, -1)
        ]
        tone = mix(colours.ink, colours.cool, 0.42 if groove % 2 else 0.24)
        canvas.polygon(blade, down(lighter(tone, 0.1), darker(tone, 0.3)))
    canvas.glow(centre, 0.62, colours.warm, 0.55)
    canvas.ellipse(centre, 0.295, darker(colours.warm, 0.55))
    canvas.ellipse(centre, 0.275, down(lighter(colours.warm, 0.6), lighter(colours.warm, 0.15)))
    foot = (centre[0] + scene.sway(0.02), centre[1] + 0.235)
    canvas.haze((foot[0], foot[1]), 0.14, 0.03, colours.ink, 0.6)
    draw_figure(scene, foot, 0.36, darker(colours.ink, 0.2))


def paint_spotlight(scene: Scene) -> None:
    """A microphone on an empty stage, waiting in its light."""
    canvas, dice, colours = scene.canvas, scene.dice, scene.colours
    cloth = darker(mix(colours.main, colours.ink, 0.25), 0.1)
    canvas.fill(cloth)
    for fold in range(13):
        x = -0.04 + fold * 0.09 + scene.sway(0.004, fold / 13)
        canvas.block((x, -0.1), (0.05, 1.2), across(lighter(cloth, 0.13), darker(cloth, 0.30)))
    x, floor = dice.uniform(0.40, 0.60), 1.0
    canvas.block(
        (-0.1, floor), (1.2, 0.4), down(darker(colours.ink, 0.05), darker(colours.ink, 0.4))
    )
    light = lighter(colours.warm, 0.55)
    canvas.polygon(
        [(x - 0.035, -0.1), (x + 0.035, -0.1), (x + 0.30, 1.12), (x - 0.30, 1.12)],
        down(lighter(light, 0.3), light),
        0.42,
    )
    canvas.ellipse((x, 1.11), 0.30, light, 0.75, flat=0.24)
    metal = mix(colours.ink, (200, 205, 215), 0.45)
    canvas.line([(x, 1.11), (x, 0.55)], 0.016, across(lighter(metal, 0.3), darker(metal, 0.3)))
    canvas.ellipse((x, 1.11), 0.075, across(*round_light(metal)), flat=0.25)
    tip = (x - 0.055, 0.485)
    canvas.line([(x, 0.55), tip], 0.034, darker(metal, 0.35))
    canvas.ellipse(tip, 0.052, across(lighter(metal, 0.55), metal, darker(metal, 0.45)), flat=1.08)
    canvas.haze((tip[0] - 0.016, tip[1] - 0.02), 0.022, 0.02, (255, 255, 255), 0.8)


def paint_gentleman(scene: Scene) -> None:
    """A bowler hat, a moustache and a bow tie: the rest is invisible."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    canvas.fill(down(scene.colours.paper, scene.colours.ground))
    canvas.ellipse((0.5, 0.60), 0.38, lighter(scene.colours.paper, 0.35), 0.8)
    ink, nod = mix(scene.colours.ink, main, 0.15), scene.sway(0.010)
    y = 0.42 + nod
    crown = [point_on((0.5, y), 0.185, 0.5 + i / 64, 1.05) for i in range(33)]
    canvas.polygon(crown, across(*round_light(ink)))
    canvas.block((0.315, y - 0.060), (0.37, 0.055), second)
    brim = smooth(
        [
            (0.19, y - 0.02),
            (0.25, y + 0.035),
            (0.75, y + 0.035),
            (0.81, y - 0.02),
            (0.74, y - 0.005),
            (0.26, y - 0.005),
        ],
        2,
        closed=True,
    )
    canvas.polygon(brim, across(*round_light(darker(ink, 0.15))))
    lip, curl = 0.685 - nod * 0.5, dice.uniform(0.02, 0.09)
    for side in (-1, 1):
        half = [(0.5, lip - 0.02), (0.5 + side * 0.07, lip - 0.05), (0.5 + side * 0.15, lip - 0.01)]
        half += [(0.5 + side * 0.20, lip - curl), (0.5 + side * 0.17, lip + 0.03)]
        half += [(0.5 + side * 0.07, lip + 0.035)]
        canvas.polygon(smooth(half, 3, closed=True), ink)
    if dice.random() < 0.6:
        for side in (-1, 1):
            canvas.ring((0.5 + side * 0.095, 0.545 + nod * 0.5), 0.072, 0.013, ink)
        canvas.line([(0.477, 0.54 + nod * 0.5), (0.523, 0.54 + nod * 0.5)], 0.010, ink)
    tie = 0.90
    for side in (-1, 1):
        wing = [(0.5, tie), (0.5 + side * 0.14, tie - 0.07), (0.5 + side * 0.14, tie + 0.07)]
        canvas.polygon(smooth(wing, 2, closed=True), across(lighter(main, 0.15), darker(main, 0.1)))
    canvas.ellipse((0.5, tie), 0.034, darker(main, 0.25))


def paint_globe(scene: Scene) -> None:
    """A globe on its stand that turns."""
    canvas, (main, second) = scene.canvas, scene.hues()
    canvas.fill(down(scene.colours.paper, scene.colours.ground))
    centre, radius = (0.5, 0.54), 0.29
    canvas.shadow((0.5, 1.05), 0.20, 0.035, scene.colours.ink)
    brass = mix(scene.colours.warm, (190, 150, 90), 0.5)
    canvas.block((0.485, 0.86), (0.03, 0.17), across(*round_light(brass)))
    canvas.ellipse((0.5, 1.04), 0.14, across(*round_light(brass)), flat=0.20)
    arc = [point_on(centre, radius + 0.045, 0.66 - i / 64 * 1.02) for i in range(33)]
    canvas.line(arc, 0.022, across(*round_light(brass)))
    canvas.ellipse(centre, radius, across(lighter(main, 0.35), main, darker(main, 0.45)))
    for meridian in range(8):
        bulge = math.cos(math.pi * ((meridian + 2 * scene.phase) / 8 % 1.0))
        line = [
            (centre[0] + radius * bulge * math.cos(angle), centre[1] + radius * math.sin(angle))
            for angle in (math.pi * (i / 24 - 0.5) for i in range(25))
        ]
        canvas.line(line, 0.005, lighter(second, 0.45), opacity=0.7)
    for parallel in (-0.6, -0.3, 0.0, 0.3, 0.6):
        half, y = radius * math.sqrt(1 - parallel**2), centre[1] + radius * parallel
        canvas.line(
            [(centre[0] - half, y), (centre[0] + half, y)], 0.005, lighter(second, 0.45), 0.7
        )
    canvas.haze((0.40, 0.43), 0.15, 0.13, (255, 255, 255), 0.35)
