"""What everyone needs of the pages: names, contrast, a keyboard, a small screen."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Route

from origin.demo.stack import Stack
from tests.e2e.conftest import Visitor

# One event loop for all, because the browser is shared.
pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

Arrives = Callable[..., Awaitable[Visitor]]
AUDIT = Path(__file__).with_name("audit.js").read_text()
SCHEMES = ("light", "dark")


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_names_structure_and_contrast_hold_in(scheme: str, arrives: Arrives) -> None:
    visitor = await arrives(color_scheme=scheme, reduced_motion="reduce")
    await visitor.arrive()
    assert await visitor.page.evaluate(AUDIT) == []
    await visitor.look_at((await visitor.slate())[1])
    assert await visitor.page.evaluate(AUDIT) == []
    await visitor.page.click(".card-open >> nth=0")
    await visitor.page.wait_for_selector("dialog[open]")
    assert await visitor.page.evaluate(AUDIT) == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_console_can_be_read_in(scheme: str, arrives: Arrives, stack: Stack) -> None:
    visitor = await arrives(color_scheme=scheme)
    overview = "/v1/ops/overview"

    # The edge passes only the browsers' addresses on; the console's come from the origin.
    async def from_origin(route: Route) -> None:
        await route.continue_(url=stack.origin_url + overview)

    await visitor.page.route(f"**{overview}", from_origin)
    await visitor.page.goto(f"{visitor.url}/ops/")
    await visitor.page.wait_for_selector("table")
    assert await visitor.page.evaluate(AUDIT) == []


async def test_the_keyboard_is_enough(arrives: Arrives) -> None:
    visitor = await arrives()
    await visitor.arrive()
    page = visitor.page
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "card-open"
    await page.keyboard.press("Enter")
    await page.wait_for_selector("dialog[open]")
    await page.keyboard.press("Escape")
    await page.wait_for_selector("dialog[open]", state="detached")
    assert await page.evaluate("document.activeElement !== document.body")


async def test_a_phone_shows_everything_without_scrolling_sideways(arrives: Arrives) -> None:
    visitor = await arrives(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await visitor.arrive()
    page = visitor.page
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.tap("#peek")
    await page.wait_for_selector("#consent-sentence", state="visible")
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    assert await page.evaluate(AUDIT) == []
