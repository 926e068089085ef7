"""Painters of things for a night outside, before evening hills."""

from origin.dataset.art.canvas import across, down, mirrored, smooth
from origin.dataset.art.landscapes import draw_hills
from origin.dataset.art.palette import darker, lighter
from origin.dataset.art.scene import FLOOR, Scene, round_light, stand


def paint_outdoor(scene: Scene) -> None:
    """A thing for a night outside."""
    draw_hills(scene)
    near = darker(scene.colours.cool, 0.42)
    scene.canvas.block((-0.1, FLOOR - 0.10), (1.2, 0.5), down(near, darker(near, 0.25)))
    scene.pick({"tent": tent, "lantern": lantern, "flask": flask})(scene)


def tent(scene: Scene) -> None:
    """A tent with a light inside."""
    canvas, (main, _) = scene.canvas, scene.hues()
    top, half = FLOOR - scene.dice.uniform(0.36, 0.44), scene.dice.uniform(0.32, 0.38)
    stand(scene, 0.5, half)
    canvas.glow((0.5, FLOOR - 0.12), 0.55, (255, 226, 160), 0.45 + scene.sway(0.10))
    side = [(0.5, top), (0.5 + half, FLOOR), (0.5 + half * 0.2, FLOOR)]
    canvas.polygon(
        [(0.5, top), (0.5 - half, FLOOR), (0.5 + half, FLOOR)], across(lighter(main, 0.25), main)
    )
    canvas.polygon(side, down(darker(main, 0.12), darker(main, 0.35)))
    door = [(0.5, top + 0.09), (0.5 - half * 0.30, FLOOR), (0.5 + half * 0.16, FLOOR)]
    canvas.polygon(door, down((255, 214, 130), (255, 242, 205)))
    flap = [(0.5, top + 0.09), (0.5 - half * 0.30, FLOOR), (0.5 - half * 0.18, FLOOR)]
    canvas.polygon(flap, lighter(main, 0.4))


def lantern(scene: Scene) -> None:
    """A camping lantern."""
    canvas, (main, _) = scene.canvas, scene.hues()
    top, half = FLOOR - 0.48, 0.14
    stand(scene, 0.5, half)
    canvas.ring((0.5, top + 0.04), 0.15, 0.016, darker(main, 0.4))
    canvas.glow((0.5, FLOOR - 0.25), 0.60, (255, 226, 160), 0.8 + scene.sway(0.12))
    glass = [(half * 0.72, top + 0.12), (half * 0.95, FLOOR - 0.24), (half * 0.72, FLOOR - 0.10)]
    canvas.polygon(
        mirrored(smooth(glass), 0.5), across((255, 222, 150), (255, 250, 228), (255, 222, 150))
    )
    lid = [(0.03, top), (half, top + 0.09), (half, top + 0.13)]
    canvas.polygon(mirrored(lid, 0.5), across(*round_light(main)))
    foot = [(half, FLOOR - 0.11), (half * 1.1, FLOOR)]
    canvas.polygon(mirrored(foot, 0.5), across(*round_light(main)))
    for x in (-1, 0, 1):
        rod = [(0.5 + x * half * 0.8, top + 0.12), (0.5 + x * half * 0.8, FLOOR - 0.10)]
        canvas.line(rod, 0.008, darker(main, 0.5))


def flask(scene: Scene) -> None:
    """A bottle with a cup for a lid."""
    canvas, (main, second) = scene.canvas, scene.hues()
    half, tall = scene.dice.uniform(0.10, 0.13), scene.dice.uniform(0.54, 0.64)
    top = FLOOR - tall
    stand(scene, 0.5, half)
    canvas.block(
        (0.5 - half, top + 0.14), (2 * half, tall - 0.14), across(*round_light(main)), 0.03
    )
    neck = [(half * 0.72, top + 0.06), (half * 0.72, top + 0.11), (half, top + 0.18)]
    canvas.polygon(mirrored(smooth(neck), 0.5), across(*round_light(lighter(main, 0.1))))
    canvas.block((0.5 - half * 0.78, top), (half * 1.56, 0.10), across(*round_light(second)), 0.02)
    y = top + tall * scene.dice.uniform(0.45, 0.6)
    canvas.block((0.5 - half, y), (2 * half, 0.10), across(*round_light(second)))
    canvas.haze((0.5 - half * 0.4, top + tall * 0.5), 0.03, tall * 0.35, (255, 255, 255), 0.4)
