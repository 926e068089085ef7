"""Pictures of the running storefront for docs/screenshots.

python tests/e2e/take_screenshots.py http://127.0.0.1:8600/
"""

import argparse
import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
LAUNCH = {
    "executable_path": "/usr/bin/chromium",
    "args": ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
}

# The interface's own colours are few pixels, which a palette made by area would lose.
LIGHT_COLOURS = "2d6f2a 7a3fa0 9a6700 2d5fb0 0f6f6a b02a2a b53a15 1d1a16 5a5349 6d665b 3c7a2c"
DARK_COLOURS = "86c46f c797ea e3b341 86aef0 4fc4b8 ff8f87 ff8d66 f4efe7 b9b1a5 9a9287"
WEIGHT_PIXELS = 40

SETTLED_MS = 2_500
OPEN = "place => document.querySelectorAll('.card-open')[place].click()"
REST = "document.activeElement.blur(); scrollTo(0, 0)"


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture: who looks, on what, at which places of the slates that follow each other."""

    name: str
    places: Sequence[int]
    colours: str = LIGHT_COLOURS
    options: dict[str, Any] = field(default_factory=dict[str, Any])


SCENES = (
    Scene("desktop", (3, 2), options={"viewport": DESKTOP}),
    Scene("dark", (1,), DARK_COLOURS, {"viewport": DESKTOP, "color_scheme": "dark"}),
    Scene(
        "phone",
        (1,),
        options={
            "viewport": PHONE,
            "device_scale_factor": 1.5,
            "has_touch": True,
            "is_mobile": True,
        },
    ),
)


async def picture(browser: Browser, url: str, scene: Scene) -> bytes:
    """Return the scene as a PNG file."""
    context = await browser.new_context(**scene.options)
    page = await context.new_page()
    await page.goto(url)
    await page.wait_for_selector(".card[data-item]")
    for place in scene.places:
        await page.wait_for_timeout(SETTLED_MS)
        await look_at(page, place)
    await page.mouse.move(scene.options["viewport"]["width"] // 2, 40)
    await page.evaluate(REST)
    await page.wait_for_timeout(SETTLED_MS)
    shot = await page.screenshot()
    await context.close()
    return shot


async def look_at(page: Page, place: int) -> None:
    """Open the item at a place of the slate, close it, wait until the stream knows."""
    await page.evaluate(OPEN, place)
    await page.wait_for_selector("dialog[open]")
    await page.wait_for_timeout(700)
    await page.keyboard.press("Escape")
    await page.wait_for_selector('#freshness[data-state="seen"]', state="attached")


def smaller(png: bytes, colours: str) -> Image.Image:
    """Return the picture in 256 colours, the interface's among them."""
    full = Image.open(io.BytesIO(png)).convert("RGB")
    kept = colours.split()
    sample = Image.new("RGB", (full.width, full.height + WEIGHT_PIXELS * len(kept)))
    sample.paste(full)
    for index, colour in enumerate(kept):
        top = full.height + WEIGHT_PIXELS * index
        sample.paste(f"#{colour}", (0, top, full.width, top + WEIGHT_PIXELS))
    palette = sample.quantize(256, method=Image.Quantize.MEDIANCUT)
    return full.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


async def main(url: str) -> None:
    """Take every picture."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**LAUNCH)
        for scene in SCENES:
            png = await picture(browser, url, scene)
            smaller(png, scene.colours).save(FOLDER / f"{scene.name}.png", optimize=True)
        await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    asyncio.run(main(parser.parse_args().url))
