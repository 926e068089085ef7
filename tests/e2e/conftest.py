"""Fixtures that run the whole product and look at it through a real Chromium."""

import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright

from attune.identity import COOKIE, Keys, read_cookie
from origin.demo.stack import Ports, Stack, running_stack

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGE_DEADLINE_MS = 15_000
SECRET = "the secret with which the tests' edge signs"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Yield the running product, loaded with the synthetic storefront."""
    elsewhere = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS")
    inherited = {name: value for name, value in os.environ.items() if name not in elsewhere}
    inherited |= {"ATTUNE_IDENTITY_SECRET": SECRET, "ATTUNE_WRITE_KEYS": "shop=full"}
    with TemporaryDirectory(prefix="attune-e2e-") as home:
        ports = Ports(edge=free_port(), origin=free_port())
        with running_stack(Path(home), ports, "storefront", inherited, print) as running:
            yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Yield a browser; every visitor gets a profile of their own in it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed; CHROMIUM names one that is elsewhere")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_ARGS, chromium_sandbox=False
        )
        yield browser
        await browser.close()


@dataclass(slots=True)
class Visitor:
    """A visitor with a browser profile of their own, and what their browser said and sent."""

    context: BrowserContext
    page: Page
    url: str
    complaints: list[str] = field(default_factory=list[str])
    sent: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])

    async def arrive(self, query: str = "") -> None:
        """Open the storefront and wait for its slate."""
        await self.page.goto(f"{self.url}/{query}")
        await self.page.wait_for_selector(".card[data-item]")

    async def slate(self) -> list[str]:
        """Return the ids of the items that are shown, in order."""
        cards = "cards => cards.map(card => card.dataset.item)"
        return await self.page.eval_on_selector_all(".card[data-item]", cards)

    async def look_at(self, item_id: str) -> None:
        """Open an item, close it again, and wait for the slate that this leads to."""
        await self.page.click(f'[data-item="{item_id}"] .card-open')
        await self.page.wait_for_selector("dialog[open]")
        await self.page.keyboard.press("Escape")
        await self.page.wait_for_function(
            "() => !document.documentElement.classList.contains('is-waiting')"
        )
        steps = "() => document.querySelector('#headline').textContent.startsWith('More like')"
        await self.page.wait_for_function(steps)

    async def until_learned(self) -> None:
        """Wait until the page says that the stream has learned from the last click."""
        await self.page.wait_for_selector('#freshness[data-state="seen"]', timeout=30_000)

    async def user_id(self) -> str:
        """Return the id in the cookie that the edge has set."""
        now_s = int(time.time())
        values = {
            cookie.get("name"): cookie.get("value", "") for cookie in await self.context.cookies()
        }
        read = read_cookie(Keys((SECRET,)), values[COOKIE], now_s)
        assert read is not None
        return read.user_id

    def bodies(self, path: str) -> list[Any]:
        """Return the bodies of the requests that went to ``path``."""
        return [body for where, body in self.sent if where == path]


@pytest_asyncio.fixture(loop_scope="session")
async def arrives(stack: Stack, chromium: Browser) -> AsyncIterator[Any]:
    """Yield a function that returns a new visitor; no browser of theirs may complain."""
    visitors: list[Visitor] = []

    async def new_visitor(**options: Any) -> Visitor:
        context = await chromium.new_context(**({"viewport": WINDOW} | options))
        context.set_default_timeout(PAGE_DEADLINE_MS)
        visitor = Visitor(context, await context.new_page(), stack.edge_url)
        _listen(visitor)
        visitors.append(visitor)
        return visitor

    yield new_visitor
    for visitor in visitors:
        await visitor.context.close()
    assert [said for visitor in visitors for said in visitor.complaints] == []


WINDOW = {"width": 1280, "height": 900}


def _listen(visitor: Visitor) -> None:
    def note(request: Request) -> None:
        path = request.url.removeprefix(visitor.url)
        if request.method == "POST" and request.url.startswith(visitor.url):
            visitor.sent.append((path, request.post_data_json))

    page = visitor.page
    page.on("request", note)
    page.on("pageerror", lambda error: visitor.complaints.append(f"{error}"))
    page.on(
        "console",
        lambda message: (
            visitor.complaints.append(message.text)
            if message.type in ("error", "warning")
            else None
        ),
    )
