"""Painters of things that one carries, uses or hangs up: each draws one kind on a stage."""

import math

from origin.dataset.art.canvas import Point, across, down, mirrored, point_on, smooth
from origin.dataset.art.palette import Colour, darker, lighter, mix
from origin.dataset.art.products import steam
from origin.dataset.art.scene import FLOOR, Scene, leaf, round_light, set_stage, stand


def paint_audio(scene: Scene) -> None:
    """Something that plays music."""
    set_stage(scene)
    kinds = {"speaker": speaker, "turntable": turntable, "radio": radio, "headphones": headphones}
    scene.pick(kinds)(scene)


def cone(scene: Scene, centre: Point, radius: float, tone: Colour) -> None:
    """A loudspeaker's cone that moves to a beat."""
    canvas, beat = scene.canvas, 1 + scene.sway(0.03, turns=2)
    canvas.ellipse(centre, radius, across(*round_light(darker(tone, 0.5))))
    canvas.ellipse(centre, radius * 0.86 * beat, down(darker(tone, 0.75), darker(tone, 0.45)))
    canvas.ring(centre, radius * 0.62 * beat, radius * 0.05, darker(tone, 0.2))
    canvas.ellipse(centre, radius * 0.30 * beat, down(lighter(tone, 0.45), darker(tone, 0.1)))


def speaker(scene: Scene) -> None:
    """A loudspeaker on the floor."""
    canvas, (main, second) = scene.canvas, scene.hues()
    half, tall = scene.dice.uniform(0.18, 0.24), scene.dice.uniform(0.50, 0.66)
    top = FLOOR - tall
    stand(scene, 0.5, half)
    canvas.block((0.5 - half, top), (2 * half, tall), across(*round_light(main)), 0.035)
    inset = 0.022
    face = down(lighter(main, 0.12), darker(main, 0.12))
    size = (2 * (half - inset), tall - 2 * inset)
    canvas.block((0.5 - half + inset, top + inset), size, face, 0.02)
    cone(scene, (0.5, FLOOR - half - 0.02), half * 0.78, second)
    if tall > 0.56:
        cone(scene, (0.5, top + (tall - 1.75 * half) * 0.52), half * 0.42, second)


def turntable(scene: Scene) -> None:
    """A record that turns, seen from above."""
    canvas, (main, second) = scene.canvas, scene.hues()
    centre, radius = (0.47, 0.60), 0.29
    canvas.haze((0.52, 0.70), 0.56, 0.56, scene.colours.ink, 0.4)
    canvas.block((0.10, 0.24), (0.80, 0.72), down(lighter(main, 0.2), darker(main, 0.05)), 0.05)
    canvas.ellipse(centre, radius, darker(scene.colours.ink, 0.3))
    for groove in range(5):
        tone = mix(scene.colours.ink, (255, 255, 255), 0.12)
        canvas.ring(centre, radius * (0.92 - 0.11 * groove), 0.003, tone)
    for side in (0.0, 0.5):
        turn = 0.06 + side + scene.phase
        beam = [point_on(centre, radius * 0.97, turn + i / 200) for i in range(-7, 8)]
        canvas.polygon([centre, *beam], (255, 255, 255), 0.13)
    canvas.ellipse(centre, radius * 0.34, second)
    canvas.ellipse(point_on(centre, radius * 0.2, scene.phase), 0.02, lighter(second, 0.5))
    canvas.ellipse(centre, 0.012, scene.colours.paper)
    arm = lighter(scene.colours.paper, 0.5)
    canvas.line([(0.82, 0.36), (0.82, 0.66), (0.66, 0.76)], 0.016, arm)
    canvas.ellipse((0.82, 0.36), 0.045, across(*round_light(arm)))


def radio(scene: Scene) -> None:
    """A portable radio with a handle."""
    canvas, (main, second) = scene.canvas, scene.hues()
    half, tall = 0.32, scene.dice.uniform(0.30, 0.40)
    top = FLOOR - tall
    stand(scene, 0.5, half)
    handle = [(0.28, top + 0.03), (0.30, top - 0.10), (0.70, top - 0.10), (0.72, top + 0.03)]
    canvas.line(smooth(handle), 0.022, darker(main, 0.35))
    canvas.line([(0.76, top), (0.88, top - 0.28)], 0.008, lighter(scene.colours.paper, 0.4))
    canvas.block((0.5 - half, top), (2 * half, tall), down(lighter(main, 0.15), main), 0.05)
    pale = lighter(scene.colours.paper, 0.3)
    canvas.block((0.22, top + 0.05), (0.30, tall - 0.10), pale, 0.02)
    for slot in range(8):
        y = top + 0.075 + slot * (tall - 0.15) / 7
        canvas.line([(0.245, y), (0.495, y)], 0.008, mix(pale, scene.colours.ink, 0.35))
    cone(scene, (0.67, top + tall * 0.40), 0.085, second)
    canvas.line([(0.60, top + tall * 0.80), (0.76, top + tall * 0.80)], 0.012, darker(main, 0.5))
    canvas.ellipse((0.68 + scene.sway(0.05), top + tall * 0.80), 0.018, second)


def headphones(scene: Scene) -> None:
    """Headphones that hang in the air."""
    canvas, (main, second) = scene.canvas, scene.hues()
    y = 0.62 + scene.sway(0.012)
    canvas.haze((0.5, FLOOR), 0.34, 0.06, scene.colours.ink, 0.35)
    band = [point_on((0.5, y), 0.27, 0.5 + i / 64, 1.25) for i in range(33)]
    canvas.line(band, 0.045, across(*round_light(main)))
    canvas.line(band[8:25], 0.062, across(*round_light(second)))
    for side in (-1, 1):
        x = 0.5 + side * 0.27
        canvas.block((x - 0.075, y - 0.03), (0.15, 0.26), across(*round_light(main)), 0.07)
        canvas.block((x - side * 0.075 - 0.03, y - 0.01), (0.06, 0.22), darker(main, 0.6), 0.03)


def paint_kitchen(scene: Scene) -> None:
    """A thing for the table or the stove."""
    set_stage(scene)
    scene.pick({"mug": mug, "kettle": kettle, "moka pot": moka_pot, "bowl": bowls})(scene)


def mug(scene: Scene) -> None:
    """A mug with something hot in it."""
    canvas, (main, second) = scene.canvas, scene.hues()
    half, tall = scene.dice.uniform(0.17, 0.21), scene.dice.uniform(0.32, 0.42)
    top, x = FLOOR - tall, 0.46
    stand(scene, x, half)
    canvas.ring((x + half + 0.015, top + tall * 0.45), 0.105, 0.036, darker(main, 0.12))
    sides = [(half, top), (half, FLOOR - 0.09), (half * 0.86, FLOOR)]
    canvas.polygon(mirrored(smooth(sides, 2), x), across(*round_light(main)))
    if scene.dice.random() < 0.6:
        canvas.block(
            (x - half, top + tall * 0.55), (2 * half, tall * 0.16), across(*round_light(second))
        )
    canvas.ellipse((x, top), half, lighter(main, 0.4), flat=0.24)
    canvas.ellipse((x, top + 0.012), half * 0.88, (74, 44, 32), flat=0.22)
    steam(scene, (x, top - 0.02))


def kettle(scene: Scene) -> None:
    """A kettle with a long spout."""
    canvas, (main, second) = scene.canvas, scene.hues()
    x, half, tall = 0.53, 0.22, scene.dice.uniform(0.32, 0.40)
    top = FLOOR - tall
    stand(scene, x, half)
    spout = smooth(
        [
            (x - 0.14, FLOOR - 0.07),
            (x - 0.30, FLOOR - 0.12),
            (x - 0.27, top - 0.05),
            (x - 0.38, top - 0.06),
        ]
    )
    canvas.line(spout, 0.034, down(main, darker(main, 0.25)))
    handle = smooth(
        [
            (x + 0.10, top + 0.04),
            (x + 0.30, top - 0.08),
            (x + 0.33, FLOOR - 0.12),
            (x + 0.18, FLOOR - 0.06),
        ]
    )
    canvas.line(handle, 0.034, darker(second, 0.25))
    body = [(half * 0.62, top), (half * 0.80, top + 0.10), (half, FLOOR - 0.08), (half, FLOOR)]
    canvas.polygon(mirrored(smooth(body), x), across(*round_light(main)))
    canvas.ellipse((x, top), half * 0.62, across(*round_light(darker(main, 0.15))), flat=0.2)
    canvas.ellipse((x, top - 0.035), 0.030, across(*round_light(second)))
    canvas.haze((x - 0.08, top + 0.18), 0.05, 0.13, (255, 255, 255), 0.45)
    steam(scene, (x - 0.40, top - 0.06))


def moka_pot(scene: Scene) -> None:
    """A facetted coffee pot."""
    canvas, (main, second) = scene.canvas, scene.hues()
    waist, top = FLOOR - 0.27, FLOOR - scene.dice.uniform(0.52, 0.58)
    stand(scene, 0.5, 0.19)
    handle = [(0.62, top + 0.06), (0.80, top + 0.05), (0.76, waist)]
    canvas.line(handle, 0.034, darker(second, 0.3))
    canvas.polygon([(0.36, top), (0.28, top + 0.03), (0.38, top + 0.12)], darker(main, 0.2))
    upper = [(0.165, top), (0.105, waist)]
    lower = [(0.115, waist), (0.185, FLOOR)]
    for shape in (upper, lower):
        canvas.polygon(mirrored(shape, 0.5), across(*facets(main)))
    canvas.block((0.375, waist - 0.018), (0.25, 0.036), across(*round_light(second)), 0.012)
    canvas.polygon(mirrored([(0.02, top - 0.07), (0.165, top)], 0.5), across(*facets(main)))
    canvas.ellipse((0.5, top - 0.085), 0.026, second)
    steam(scene, (0.29, top))


def facets(tone: Colour) -> list[Colour]:
    """Return a colour as it jumps over the faces of a prism."""
    faces = [darker(tone, 0.1), lighter(tone, 0.3), lighter(tone, 0.05), darker(tone, 0.3)]
    return [face for face in faces for _ in range(6)]


def bowls(scene: Scene) -> None:
    """A stack of bowls."""
    canvas, (main, second) = scene.canvas, scene.hues()
    tones = [main, lighter(scene.colours.paper, 0.3), second, mix(main, second, 0.5)]
    scene.dice.shuffle(tones)
    stand(scene, 0.5, 0.20)
    y = FLOOR
    for number in range(scene.dice.randint(2, 4)):
        wide, high = 0.27 - 0.022 * number, 0.17
        side = [(wide, y - high), (wide * 0.86, y - 0.05), (wide * 0.42, y)]
        canvas.ellipse((0.5, y - high), wide, darker(tones[number], 0.3), flat=0.14)
        canvas.polygon(mirrored(smooth(side), 0.5), across(*round_light(tones[number])))
        canvas.ellipse((0.5, y - high), wide * 0.94, darker(tones[number], 0.45), flat=0.11)
        y -= high * 0.62


def paint_plant(scene: Scene) -> None:
    """A plant in a pot whose leaves move."""
    set_stage(scene)
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    half, tall = dice.uniform(0.13, 0.18), dice.uniform(0.22, 0.28)
    rim = FLOOR - tall
    stand(scene, 0.5, half)
    green = mix((66, 112, 78), scene.colours.accent, dice.uniform(0.1, 0.35))
    kinds = {"snake plant": blades, "rubber plant": fans, "pilea": round_leaves, "cactus": cactus}
    names = [name for name in kinds if name in scene.title] or list(kinds)
    kinds[dice.choice(names)](scene, (0.5, rim), green)
    side = [(half, rim), (half * dice.uniform(0.65, 1.0), FLOOR)]
    canvas.polygon(mirrored(side, 0.5), across(*round_light(main)))
    canvas.block(
        (0.5 - half - 0.012, rim - 0.01),
        (2 * half + 0.024, 0.05),
        across(*round_light(lighter(main, 0.08))),
        0.012,
    )
    if dice.random() < 0.4:
        canvas.block((0.5 - half, rim + tall * 0.5), (2 * half * 0.94, 0.03), second)


def blades(scene: Scene, base: Point, green: Colour) -> None:
    """Upright leaves like swords."""
    count = scene.dice.randint(6, 9)
    for number in range(count):
        spread = (number / (count - 1) - 0.5) * 0.42
        high = scene.dice.uniform(0.36, 0.60) * (1 - abs(spread))
        tip = (base[0] + spread + scene.sway(0.012, number / count), base[1] - high)
        root = (base[0] + spread * 0.4, base[1] + 0.03)
        shape = leaf(root, tip, 0.20)
        tone = mix(green, lighter(green, 0.35), scene.dice.random())
        scene.canvas.polygon(shape, across(lighter(tone, 0.22), tone, darker(tone, 0.25)))


def fans(scene: Scene, base: Point, green: Colour) -> None:
    """Broad leaves on arching stalks."""
    count = scene.dice.randint(6, 8)
    for number in range(count):
        share = number / (count - 1)
        turn = 0.53 + 0.44 * share + scene.sway(0.006, share)
        middle = point_on(base, scene.dice.uniform(0.20, 0.30), turn)
        tip = point_on(middle, scene.dice.uniform(0.20, 0.26), turn + (share - 0.5) * 0.16)
        tone = mix(green, lighter(green, 0.4), scene.dice.random() * 0.8)
        scene.canvas.line([base, middle], 0.009, darker(green, 0.3))
        scene.canvas.polygon(leaf(middle, tip, 0.62), down(lighter(tone, 0.18), darker(tone, 0.15)))
        scene.canvas.line([middle, tip], 0.005, darker(tone, 0.25), opacity=0.6)


def round_leaves(scene: Scene, base: Point, green: Colour) -> None:
    """Coins on thin stalks."""
    for number in range(15):
        turn = scene.dice.uniform(0.56, 0.94) + scene.sway(0.008, number * 0.13)
        centre = point_on(base, scene.dice.uniform(0.16, 0.44), turn)
        tone = mix(green, lighter(green, 0.45), scene.dice.random())
        scene.canvas.line([base, centre], 0.006, darker(green, 0.35))
        radius = scene.dice.uniform(0.045, 0.072)
        scene.canvas.ellipse(centre, radius, down(lighter(tone, 0.2), darker(tone, 0.12)))


def cactus(scene: Scene, base: Point, green: Colour) -> None:
    """A column with arms and a flower."""
    canvas, high = scene.canvas, scene.dice.uniform(0.36, 0.48)
    for side in (-1, 1):
        if scene.dice.random() < 0.85:
            y = base[1] - high * scene.dice.uniform(0.3, 0.5)
            x = base[0] + side * 0.17
            up = y - scene.dice.uniform(0.10, 0.18)
            path = smooth([(base[0], y), (x, y), (x, y - 0.04), (x, up)], 2)
            canvas.line(path, 0.075, across(lighter(green, 0.15), darker(green, 0.2)))
    canvas.block(
        (base[0] - 0.075, base[1] - high), (0.15, high + 0.03), across(*round_light(green)), 0.075
    )
    for groove in (-0.03, 0.0, 0.03):
        line = [(base[0] + groove, base[1] - high + 0.06), (base[0] + groove, base[1] - 0.02)]
        canvas.line(line, 0.004, lighter(green, 0.4), opacity=0.6)
    canvas.ellipse((base[0], base[1] - high), 0.032, scene.colours.main)
    canvas.ellipse((base[0], base[1] - high), 0.013, lighter(scene.colours.paper, 0.5))


def turned(points: list[Point], centre: Point, turn: float) -> list[Point]:
    """Return the points turned around a centre."""
    sine, cosine = math.sin(2 * math.pi * turn), math.cos(2 * math.pi * turn)
    return [
        (
            centre[0] + (x - centre[0]) * cosine - (y - centre[1]) * sine,
            centre[1] + (x - centre[0]) * sine + (y - centre[1]) * cosine,
        )
        for x, y in points
    ]


def rectangle(corner: Point, size: Point) -> list[Point]:
    """Return the corners of a rectangle."""
    (x, y), (wide, tall) = corner, size
    return [(x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall)]


def paint_stationery(scene: Scene) -> None:
    """Notebooks and a pencil on a desk, seen from above."""
    canvas, dice, (main, second) = scene.canvas, scene.dice, scene.hues()
    canvas.fill(down(lighter(scene.tint(0.2), 0.15), scene.tint(0.75)))
    canvas.ellipse((dice.uniform(0.2, 0.8), dice.uniform(0.3, 0.9)), 0.42, scene.tint(0.85))
    tones = [lighter(scene.colours.paper, 0.35), second, main]
    for number in range(dice.randint(2, 3), 0, -1):
        tone = tones[-number] if number > 1 else main
        turn = dice.uniform(-0.05, 0.05) + 0.02 * number + scene.sway(0.003, number * 0.3)
        notebook(scene, (0.5 + dice.uniform(-0.06, 0.06), 0.60), turn, tone)
    pencil(scene, dice.uniform(0.10, 0.17) + scene.sway(0.004), second)


def notebook(scene: Scene, centre: Point, turn: float, tone: Colour) -> None:
    """A bound notebook with a label and an elastic band."""
    canvas, (x, y) = scene.canvas, centre
    half, tall = 0.24, 0.66
    canvas.haze((x + 0.03, y + 0.05), half * 1.5, tall * 0.72, scene.colours.ink, 0.42)
    corner = (x - half, y - tall / 2)
    canvas.polygon(
        turned(rectangle((corner[0] + 0.012, corner[1] + 0.012), (2 * half, tall)), centre, turn),
        (250, 246, 236),
    )
    canvas.polygon(
        turned(rectangle(corner, (2 * half, tall)), centre, turn),
        across(darker(tone, 0.12), lighter(tone, 0.10), tone),
    )
    spine = turned(rectangle(corner, (0.05, tall)), centre, turn)
    canvas.polygon(spine, darker(tone, 0.28), 0.8)
    band = turned(rectangle((x + half - 0.07, y - tall / 2), (0.016, tall)), centre, turn)
    canvas.polygon(band, darker(tone, 0.5))
    label = turned(rectangle((x - 0.11, y - 0.20), (0.20, 0.10)), centre, turn)
    canvas.polygon(label, lighter(scene.colours.paper, 0.5))


def pencil(scene: Scene, turn: float, tone: Colour) -> None:
    """A pencil that lies across."""
    canvas, centre = scene.canvas, (0.62, 0.66)
    place = [(0.30, 0.640), (0.88, 0.640), (0.88, 0.680), (0.30, 0.680)]
    canvas.line(turned([(0.27, 0.70), (0.90, 0.70)], centre, turn), 0.035, scene.colours.ink, 0.22)
    canvas.polygon(turned(place, centre, turn), down(lighter(tone, 0.35), darker(tone, 0.15)))
    tip = [(0.30, 0.640), (0.30, 0.680), (0.235, 0.660)]
    canvas.polygon(turned(tip, centre, turn), (236, 205, 160))
    lead = [(0.257, 0.6535), (0.257, 0.6665), (0.235, 0.660)]
    canvas.polygon(turned(lead, centre, turn), scene.colours.ink)
    end = [(0.84, 0.640), (0.88, 0.640), (0.88, 0.680), (0.84, 0.680)]
    canvas.polygon(turned(end, centre, turn), lighter(scene.colours.paper, 0.2))


def paint_bag(scene: Scene) -> None:
    """A bag that stands on the floor."""
    set_stage(scene)
    scene.pick({"tote": tote, "backpack": backpack, "weekender": weekender})(scene)


def tote(scene: Scene) -> None:
    """A bag of cloth with two handles."""
    canvas, (main, second) = scene.canvas, scene.hues()
    half, tall = scene.dice.uniform(0.22, 0.27), scene.dice.uniform(0.44, 0.52)
    top = FLOOR - tall
    stand(scene, 0.5, half)
    handle = [point_on((0.5, top + 0.02), 0.13, 0.5 + i / 64, 1.7) for i in range(33)]
    canvas.line(handle, 0.026, darker(second, 0.2))
    sides = [(half * 0.93, top), (half, FLOOR - 0.03), (half * 0.96, FLOOR)]
    canvas.polygon(mirrored(sides, 0.5), across(*round_light(main)[1:]))
    if scene.dice.random() < 0.5:
        canvas.ellipse((0.5, top + tall * 0.52), half * 0.46, second)
        canvas.ellipse((0.5 + half * 0.2, top + tall * 0.44), half * 0.46, main)
    else:
        canvas.block(
            (0.5 - half, FLOOR - tall * 0.34),
            (2 * half, tall * 0.33),
            across(*round_light(second)[1:]),
            0.01,
        )
    canvas.line(
        [(0.5 - half * 0.9, top + 0.035), (0.5 + half * 0.9, top + 0.035)],
        0.004,
        lighter(main, 0.45),
    )


def backpack(scene: Scene) -> None:
    """A rucksack with a flap and a pocket."""
    canvas, (main, second) = scene.canvas, scene.hues()
    half, tall = 0.23, scene.dice.uniform(0.54, 0.62)
    top = FLOOR - tall
    stand(scene, 0.5, half)
    canvas.line(
        smooth([(0.43, top + 0.03), (0.45, top - 0.07), (0.55, top - 0.07), (0.57, top + 0.03)]),
        0.022,
        darker(main, 0.45),
    )
    canvas.block((0.5 - half, top), (2 * half, tall), across(*round_light(main)), 0.13)
    flap = [
        (half * 0.99, top + 0.10),
        (half * 0.99, top + tall * 0.36),
        (half * 0.7, top + tall * 0.45),
    ]
    canvas.block((0.5 - half, top), (2 * half, tall * 0.46), down(lighter(main, 0.2), main), 0.12)
    canvas.line(smooth(mirrored(flap, 0.5)[2:4]), 0.006, darker(main, 0.4))
    pocket = across(*round_light(second))
    canvas.block((0.5 - half * 0.74, FLOOR - tall * 0.40), (1.48 * half, tall * 0.32), pocket, 0.04)
    for side in (-1, 1):
        x = 0.5 + side * half * 0.42
        canvas.block(
            (x - 0.013, top + tall * 0.28), (0.026, tall * 0.38), darker(main, 0.55), 0.008
        )
        canvas.block((x - 0.018, top + tall * 0.48), (0.036, 0.03), (226, 190, 120), 0.006)


def weekender(scene: Scene) -> None:
    """A travel bag, wider than tall."""
    canvas, (main, second) = scene.canvas, scene.hues()
    half, tall = 0.34, scene.dice.uniform(0.32, 0.38)
    top = FLOOR - tall
    stand(scene, 0.5, half)
    handle = [point_on((0.5, top + 0.07), 0.17, 0.5 + i / 64, 1.25) for i in range(33)]
    canvas.line(handle, 0.028, darker(second, 0.3))
    canvas.block((0.5 - half, top), (2 * half, tall), across(*round_light(main)[1:]), 0.09)
    for side in (-1, 1):
        x = 0.5 + side * 0.17 - 0.022
        canvas.block((x, top + 0.05), (0.044, tall - 0.05), down(second, darker(second, 0.25)))
    canvas.line(
        [(0.5 - half * 0.82, top + 0.05), (0.5 + half * 0.82, top + 0.05)], 0.010, darker(main, 0.5)
    )
    canvas.block((0.44, top + tall * 0.42), (0.12, 0.08), lighter(scene.colours.paper, 0.2), 0.012)
