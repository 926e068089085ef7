"""Painters of things for a home: each draws one kind of product on a stage."""

import math

from origin.dataset.art.canvas import Point, across, down, mirrored, point_on, smooth
from origin.dataset.art.palette import Colour, darker, lighter, mix
from origin.dataset.art.scene import FLOOR, Scene, leaf, round_light, set_stage, stand


def paint_lamp(scene: Scene) -> None:
    """A lamp that stands or hangs, lit."""
    set_stage(scene)
    scene.pick(
        {
            "table lamp": table_lamp,
            "mushroom lamp": mushroom_lamp,
            "pendant lamp": pendant_lamp,
            "globe lamp": globe_lamp,
        }
    )(scene)


def shine(scene: Scene, centre: Point, radius: float) -> None:
    """Let a lamp light the room; the light breathes through a clip."""
    strength = 0.75 + scene.sway(0.15)
    scene.canvas.glow(centre, radius, (255, 240, 205), strength)


def table_lamp(scene: Scene) -> None:
    """A shade on a turned foot."""
    canvas, (main, second) = scene.canvas, scene.hues()
    top, wide, narrow = 0.36, scene.dice.uniform(0.20, 0.26), scene.dice.uniform(0.09, 0.16)
    low = top + scene.dice.uniform(0.20, 0.27)
    stand(scene, 0.5, 0.16)
    shine(scene, (0.5, low), 0.5)
    canvas.block((0.488, low - 0.02), (0.024, FLOOR - low), across(*round_light(second)))
    belly = scene.dice.uniform(0.05, 0.12)
    foot = [(0.02, low + 0.06), (belly, low + 0.18), (belly * 0.9, FLOOR - 0.08), (0.05, FLOOR)]
    canvas.polygon(smooth(mirrored(foot, 0.5)), across(*round_light(second)))
    canvas.ellipse((0.5, FLOOR - 0.004), 0.10, across(*round_light(second)), flat=0.16)
    canvas.polygon(mirrored([(narrow, top), (wide, low)], 0.5), across(*round_light(main)))
    canvas.ellipse((0.5, low), wide, (255, 244, 214), flat=0.10)
    canvas.haze((0.46, low - 0.05), wide * 0.8, 0.16, (255, 246, 220), 0.55)


def mushroom_lamp(scene: Scene) -> None:
    """A dome on a stout foot."""
    canvas, (main, second) = scene.canvas, scene.hues()
    radius, y = scene.dice.uniform(0.20, 0.26), scene.dice.uniform(0.60, 0.68)
    stand(scene, 0.5, 0.17)
    shine(scene, (0.5, y + 0.04), 0.52)
    foot = [(0.05, y - 0.05), (0.06, y + 0.12), (0.13, FLOOR - 0.02), (0.13, FLOOR)]
    canvas.polygon(mirrored(smooth(foot, 2), 0.5), across(*round_light(second)))
    dome = [point_on((0.5, y), radius, 0.5 + i / 64, 0.82) for i in range(33)]
    canvas.ellipse((0.5, y), radius, (255, 243, 212), flat=0.16)
    canvas.polygon(dome, across(*round_light(main)))
    canvas.haze((0.42, y - 0.11), 0.10, 0.07, (255, 255, 255), 0.45)


def pendant_lamp(scene: Scene) -> None:
    """One shade or two on cords."""
    canvas, (main, second) = scene.canvas, scene.hues()
    places = [(0.5, 0.52)] if scene.dice.random() < 0.5 else [(0.34, 0.44), (0.66, 0.62)]
    radius = 0.24 if len(places) == 1 else 0.155
    cone = scene.dice.random() < 0.5
    for number, (x, y) in enumerate(places):
        x += scene.sway(0.012, 0.3 * number)
        tone = main if number == 0 else second
        shine(scene, (x, y + 0.03), radius * 2.3)
        canvas.line([(places[number][0], -0.05), (x, y - radius)], 0.008, scene.colours.ink)
        canvas.ellipse((x, y), radius, (255, 245, 216), flat=0.14)
        shade = [point_on((x, y), radius, 0.5 + i / 64, 0.95) for i in range(33)]
        if cone:
            shade = mirrored([(0.03, y - radius), (radius, y)], x)
        canvas.polygon(shade, across(*round_light(tone)))
        canvas.haze((x, FLOOR), radius * 1.3, 0.07, (255, 242, 208), 0.6)


def globe_lamp(scene: Scene) -> None:
    """A luminous ball on a block."""
    canvas, (main, _) = scene.canvas, scene.hues()
    radius = scene.dice.uniform(0.17, 0.22)
    y = FLOOR - 0.12 - radius
    stand(scene, 0.5, 0.18)
    shine(scene, (0.5, y), 0.55)
    canvas.block((0.37, FLOOR - 0.15), (0.26, 0.15), across(*round_light(main)), 0.02)
    canvas.ellipse((0.5, y), radius, down((255, 252, 238), (255, 229, 178)))
    canvas.haze((0.45, y - 0.06), radius * 0.8, radius * 0.8, (255, 255, 250), 0.8)


def paint_vessel(scene: Scene) -> None:
    """A turned vase, sometimes with twigs, sometimes with a small companion."""
    set_stage(scene)
    main, second = scene.hues()
    pale = lighter(scene.colours.paper, 0.35)
    tone = scene.dice.choice((main, main, second, pale))
    has_companion = scene.dice.random() < 0.45
    x = 0.43 if has_companion else 0.5
    tall = scene.dice.uniform(0.42, 0.58)
    if scene.dice.random() < 0.6:
        draw_twigs(scene, (x, FLOOR - tall))
    draw_vessel(scene, x, tall, scene.dice.uniform(0.13, 0.20), tone)
    if has_companion:
        other = second if tone is not second else main
        draw_vessel(scene, 0.71, tall * scene.dice.uniform(0.38, 0.55), 0.10, other)


def draw_vessel(scene: Scene, x: float, tall: float, wide: float, tone: Colour) -> None:
    """A vase with a random profile and, often, a band of another tone."""
    canvas, dice, top = scene.canvas, scene.dice, FLOOR - tall
    neck = wide * dice.uniform(0.25, 0.75)
    belly_y = top + tall * dice.uniform(0.42, 0.72)
    profile = [
        (neck * 1.15, top),
        (neck, top + tall * 0.10),
        (neck * 1.05, top + tall * 0.20),
        (wide, belly_y - tall * 0.12),
        (wide * 1.02, belly_y + tall * 0.08),
        (wide * dice.uniform(0.45, 0.7), FLOOR),
    ]
    right = smooth(profile)
    stand(scene, x, wide)
    canvas.polygon(mirrored(right, x), across(*round_light(tone)))
    if dice.random() < 0.6:
        band_top = belly_y - tall * 0.10
        glaze = lighter(scene.colours.paper, 0.3) if dice.random() < 0.6 else darker(tone, 0.4)
        part = [p for p in right if band_top <= p[1] <= band_top + tall * dice.uniform(0.1, 0.25)]
        if len(part) > 1:
            canvas.polygon(mirrored(part, x), across(*round_light(glaze)))
    canvas.ellipse((x, top), neck * 1.15, darker(tone, 0.5), flat=0.16)
    canvas.haze((x - wide * 0.45, belly_y - 0.03), wide * 0.28, tall * 0.22, (255, 255, 255), 0.4)


def draw_twigs(scene: Scene, mouth: Point) -> None:
    """Twigs with leaves or berries that move in the air."""
    canvas, dice = scene.canvas, scene.dice
    stem, tone = darker(scene.colours.accent, 0.45), mix(scene.colours.accent, (96, 122, 84), 0.45)
    has_berries = dice.random() < 0.4
    for number in range(dice.randint(2, 4)):
        lean = dice.uniform(-0.22, 0.22) + scene.sway(0.012, number * 0.2)
        tip = (mouth[0] + lean, mouth[1] - dice.uniform(0.18, 0.36))
        bend = (mouth[0] + lean * 0.25, (mouth[1] + tip[1]) / 2)
        curve = smooth([mouth, bend, tip])
        canvas.line(curve, 0.006, stem)
        for place in range(3, len(curve), 3):
            x, y = curve[place]
            side = 1 if place % 2 else -1
            if has_berries:
                canvas.ellipse((x + side * 0.018, y), 0.016, scene.colours.main)
            else:
                canvas.polygon(leaf((x, y), (x + side * 0.075, y - 0.05), 0.5), tone)


def paint_furniture(scene: Scene) -> None:
    """A piece to sit on or put things on."""
    set_stage(scene)
    kinds = {"chair": lounge_chair, "stool": stool, "sofa": sofa, "side table": side_table}
    scene.pick(kinds)(scene)


def draw_legs(scene: Scene, feet: list[Point], seat_y: float, spread: float) -> None:
    """Tapered wooden legs from a seat down to the floor."""
    wood = darker(mix(scene.colours.main, (150, 105, 66), 0.7), 0.1)
    for x, y in feet:
        lean = spread if x > 0.5 else -spread
        shape = [(x - 0.016, seat_y), (x + 0.016, seat_y), (x + lean + 0.008, y)]
        scene.canvas.polygon([*shape, (x + lean - 0.008, y)], down(wood, darker(wood, 0.3)))


def lounge_chair(scene: Scene) -> None:
    """A shell on four legs."""
    canvas, (main, second) = scene.canvas, scene.hues()
    seat = FLOOR - scene.dice.uniform(0.24, 0.30)
    back, wide = seat - scene.dice.uniform(0.26, 0.38), scene.dice.uniform(0.20, 0.25)
    stand(scene, 0.5, wide)
    draw_legs(scene, [(0.38, FLOOR - 0.03), (0.62, FLOOR - 0.03)], seat, 0.02)
    bow = scene.dice.uniform(0.75, 1.0)
    shell = [(wide * bow * 0.8, back), (wide * bow, back + 0.06), (wide, seat), (wide, seat + 0.02)]
    canvas.polygon(mirrored(smooth(shell), 0.5), across(*round_light(main)))
    canvas.haze((0.44, back + 0.12), 0.14, 0.12, (255, 255, 255), 0.22)
    canvas.block((0.5 - wide, seat - 0.05), (2 * wide, 0.09), down(lighter(second), second), 0.045)
    if scene.dice.random() < 0.5:
        for side in (-1, 1):
            x = 0.5 + side * wide - 0.03
            canvas.block((x, seat - 0.15), (0.06, 0.19), across(*round_light(main)), 0.03)
    draw_legs(scene, [(0.33, FLOOR), (0.67, FLOOR)], seat + 0.03, 0.03)


def stool(scene: Scene) -> None:
    """A round seat on three legs."""
    canvas, (main, _) = scene.canvas, scene.hues()
    seat, wide = FLOOR - scene.dice.uniform(0.34, 0.48), scene.dice.uniform(0.15, 0.20)
    stand(scene, 0.5, wide)
    draw_legs(scene, [(0.5, FLOOR - 0.04), (0.41, FLOOR), (0.59, FLOOR)], seat, 0.045)
    ring_y = seat + (FLOOR - seat) * 0.62
    canvas.line([(0.38, ring_y), (0.62, ring_y)], 0.010, scene.colours.ink)
    canvas.block((0.5 - wide, seat - 0.03), (2 * wide, 0.07), across(*round_light(main)), 0.035)
    canvas.ellipse((0.5, seat - 0.02), wide, down(lighter(main, 0.3), main), flat=0.22)


def sofa(scene: Scene) -> None:
    """A two-seater with cushions."""
    canvas, (main, second) = scene.canvas, scene.hues()
    seat, half = FLOOR - 0.20, 0.37
    stand(scene, 0.5, half)
    draw_legs(scene, [(0.20, FLOOR), (0.80, FLOOR)], FLOOR - 0.08, 0.01)
    top = seat - scene.dice.uniform(0.17, 0.24)
    canvas.block((0.5 - half, top), (2 * half, 0.34), down(main, darker(main, 0.2)), 0.05)
    for x in (0.5 - half * 0.86, 0.505):
        paint = down(lighter(main, 0.22), main)
        canvas.block((x, seat - 0.04), (half * 0.85, 0.10), paint, 0.03)
    for side in (-1, 1):
        x = 0.5 + side * half - 0.05
        canvas.block((x, seat - 0.10), (0.10, 0.25), across(*round_light(main)), 0.045)
    turn = scene.dice.uniform(-0.03, 0.03)
    corner = [(0.58, top + 0.04), (0.74, top + 0.04 + turn), (0.75, seat - 0.01), (0.59, seat)]
    canvas.polygon(smooth(corner, 2, closed=True), down(lighter(second), second))


def side_table(scene: Scene) -> None:
    """A small table that carries a vase."""
    canvas, (main, second) = scene.canvas, scene.hues()
    top, half = FLOOR - scene.dice.uniform(0.36, 0.44), scene.dice.uniform(0.20, 0.27)
    stand(scene, 0.5, half * 0.8)
    canvas.block((0.475, top), (0.05, FLOOR - top - 0.02), across(*round_light(main)))
    canvas.ellipse((0.5, FLOOR - 0.02), half * 0.62, across(*round_light(main)), flat=0.14)
    canvas.ellipse((0.5, top + 0.015), half, darker(main, 0.35), flat=0.17)
    canvas.ellipse((0.5, top), half, across(*round_light(main)), flat=0.17)
    pot = [(0.035, top - 0.15), (0.075, top - 0.08), (0.05, top + 0.01)]
    draw_twigs(scene, (0.56, top - 0.15))
    canvas.polygon(smooth(mirrored(pot, 0.56), 2, closed=True), across(*round_light(second)))


def paint_textile(scene: Scene) -> None:
    """A woven cloth that hangs from a rod and stirs."""
    set_stage(scene)
    canvas, dice = scene.canvas, scene.dice
    half, top, tall = dice.uniform(0.24, 0.30), 0.20, dice.uniform(0.62, 0.74)
    canvas.haze((0.53, top + tall / 2 + 0.03), half * 1.35, tall * 0.62, scene.colours.ink, 0.35)
    weaves = {
        "striped": weave_stripes,
        "triangle": weave_triangles,
        "rainbow": weave_arcs,
        "patchwork": weave_checks,
    }
    names = [name for name in weaves if name in scene.title] or list(weaves)
    weaves[dice.choice(names)](scene, half, top, tall)
    fringe = lighter(scene.colours.paper, 0.2)
    for number in range(25):
        x = 0.5 - half + 2 * half * (number + 0.5) / 25
        end = (x + scene.sway(0.006, number * 0.04), top + tall + 0.05)
        canvas.line([(x, top + tall - 0.004), end], 0.006, fringe)
    wood = mix(scene.colours.ink, (150, 105, 66), 0.75)
    canvas.block(
        (0.5 - half - 0.05, top - 0.02), (2 * half + 0.1, 0.026), across(wood, wood), 0.013
    )
    for fold in range(3):
        x = 0.5 - half + 2 * half * (fold + 0.5) / 3 + scene.sway(0.02, fold * 0.3)
        canvas.haze((x, top + tall / 2), half * 0.30, tall * 0.62, scene.colours.ink, 0.13)


def cloth_colours(scene: Scene) -> list[Colour]:
    """Return the yarns of a cloth."""
    main, second = scene.hues()
    pale = lighter(scene.colours.paper, 0.25)
    return [main, pale, second, mix(main, pale, 0.5), darker(main, 0.3)]


def weave_stripes(scene: Scene, half: float, top: float, tall: float) -> None:
    """Stripes of uneven height."""
    yarns, y, number = cloth_colours(scene), top, 0
    while y < top + tall - 1e-6:
        high = min(scene.dice.choice((0.02, 0.035, 0.06, 0.10)), top + tall - y)
        scene.canvas.block((0.5 - half, y), (2 * half, high), yarns[number % len(yarns)])
        y, number = y + high, number + scene.dice.randint(1, 2)


def weave_triangles(scene: Scene, half: float, top: float, tall: float) -> None:
    """Rows of triangles."""
    yarns, rows, columns = cloth_colours(scene), scene.dice.randint(4, 6), scene.dice.randint(3, 5)
    high, wide = tall / rows, 2 * half / columns
    scene.canvas.block((0.5 - half, top), (2 * half, tall), yarns[1])
    for row in range(rows):
        for column in range(columns):
            x, y = 0.5 - half + column * wide, top + row * high
            tone = yarns[(row + (column if row % 2 else 0)) % 3 if row % 2 else 2 * (row % 4 == 0)]
            tone = tone if tone != yarns[1] else yarns[4]
            peak = y if row % 2 else y + high
            scene.canvas.polygon(
                [
                    (x, y + high - (peak - y)),
                    (x + wide, y + high - (peak - y)),
                    (x + wide / 2, peak),
                ],
                tone,
            )


def weave_arcs(scene: Scene, half: float, top: float, tall: float) -> None:
    """Rainbows in a grid."""
    yarns, columns = cloth_colours(scene), scene.dice.choice((2, 3))
    wide = 2 * half / columns
    rows = max(1, round(tall / (wide / 2)))
    high = tall / rows
    scene.canvas.block((0.5 - half, top), (2 * half, tall), yarns[1])
    for row in range(rows):
        for column in range(columns):
            centre = (0.5 - half + (column + 0.5) * wide, top + (row + 1) * high)
            for ring, tone in enumerate((yarns[0], yarns[1], yarns[2], yarns[1], yarns[4])):
                radius = wide / 2 * (0.94 - 0.2 * ring)
                arc = [point_on(centre, radius, 0.5 + i / 48, high / (wide / 2)) for i in range(25)]
                scene.canvas.polygon(arc, tone)


def weave_checks(scene: Scene, half: float, top: float, tall: float) -> None:
    """A chequered cloth with quarter circles."""
    yarns, columns = cloth_colours(scene), scene.dice.choice((3, 4))
    wide = 2 * half / columns
    rows = round(tall / wide)
    high = tall / rows
    for row in range(rows):
        for column in range(columns):
            x, y = 0.5 - half + column * wide, top + row * high
            scene.canvas.block((x, y), (wide, high), yarns[1 if (row + column) % 2 else 3])
            turn = scene.dice.randint(0, 3) / 4
            corner = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)][round(turn * 4)]
            arc = [point_on(corner, wide, turn + i / 64, high / wide) for i in range(17)]
            scene.canvas.polygon([corner, *arc], yarns[0 if (row + column) % 2 else 2])


def paint_clock(scene: Scene) -> None:
    """A clock on the wall whose hand goes round."""
    set_stage(scene)
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    centre, radius = (0.5, 0.56), dice.uniform(0.24, 0.31)
    canvas.haze((0.54, 0.63), radius * 1.45, radius * 1.45, scene.colours.ink, 0.45)
    canvas.ellipse(centre, radius, across(*round_light(main)))
    pale = lighter(scene.colours.paper, 0.45)
    face = pale if dice.random() < 0.65 else darker(main, 0.35)
    canvas.ellipse(centre, radius * dice.uniform(0.80, 0.92), face)
    ink = scene.colours.ink if face == pale else pale
    marks, inner = dice.choice(((12, 0.66), (4, 0.60), (12, 0.72))), radius
    for mark in range(marks[0]):
        turn = mark / marks[0]
        ends = [point_on(centre, inner * marks[1], turn), point_on(centre, inner * 0.75, turn)]
        canvas.line(ends, 0.010, ink)
    for length, width, turn in ((0.42, 0.022, dice.random()), (0.62, 0.014, dice.random())):
        canvas.line([centre, point_on(centre, radius * length, turn)], width, ink)
    canvas.line([centre, point_on(centre, radius * 0.66, scene.phase - 0.25)], 0.006, second)
    canvas.ellipse(centre, 0.020, second)


def steam(scene: Scene, mouth: Point) -> None:
    """Three wisps that rise through a clip."""
    pale = lighter(scene.colours.paper, 0.6)
    for number in (-1, 0, 1):
        x, y = mouth[0] + number * 0.05, mouth[1] - 0.03
        curve = [
            (x + 0.022 * math.sin(9 * share + 2 * math.pi * scene.phase + number), y - 0.2 * share)
            for share in (i / 12 for i in range(13))
        ]
        scene.canvas.line(curve, 0.012, pale, opacity=0.55)
