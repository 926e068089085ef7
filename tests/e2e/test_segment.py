"""Segment's own browser library, unmodified, on a shop's page: its events reach Postgres."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest

from origin.demo.stack import Stack
from tests.e2e.test_storefront import Arrives, eventually, stored

# One event loop for all, because the browser is shared.
pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

LIBRARY = Path(__file__).parents[2] / "node_modules/@segment/analytics-next/dist/umd"

PAGE = """<!doctype html><html lang="en"><head><title>A shop</title><link rel="icon" href="data:,">
<script src="segment/index.js"></script></head><body><h1>A shop</h1></body></html>"""

VISIT = """
async ({ edge, writeKey, customer, viewed, bought, batching }) => {
  const strategy = { strategy: "batching", config: { size: 2, timeout: 200 } };
  const delivery = batching ? { deliveryStrategy: strategy } : {};
  const options = { integrations: { "Segment.io": delivery } };
  const { AnalyticsBrowser } = AnalyticsNext;
  const [analytics] = await AnalyticsBrowser.load({ writeKey, cdnURL: edge }, options);
  await analytics.page();
  await analytics.identify(customer, { plan: "basic" });
  await analytics.track("Product Viewed", { product_id: viewed });
  const products = bought.map((product_id) => ({ product_id, quantity: 1 }));
  await analytics.track("Order Completed", { order_id: "o1", products });
  await analytics.track("Newsletter Opened", { issue: 7 });
  return analytics.user().anonymousId();
}
"""


class QuietFiles(SimpleHTTPRequestHandler):
    """A shop's web server."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def shop() -> Iterator[str]:
    """Yield the address of a shop whose page carries the library."""
    with TemporaryDirectory(prefix="attune-shop-") as folder:
        Path(folder, "index.html").write_text(PAGE, encoding="utf-8")
        Path(folder, "segment").symlink_to(LIBRARY)
        handler = partial(QuietFiles, directory=folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            server.server_close()


@pytest.mark.parametrize("batching", [False, True])
async def test_events_of_the_unmodified_library_reach_postgres(
    batching: bool, arrives: Arrives, stack: Stack
) -> None:
    item_ids = await stored(stack, "SELECT array_agg(item_id ORDER BY item_id) FROM items")
    viewed, *bought = item_ids[:3]
    visitor = await arrives()
    with shop() as address:
        await visitor.page.goto(address)
        what = {"edge": stack.edge_url, "viewed": viewed, "bought": bought, "writeKey": "shop"}
        customer = f"customer-{batching}"
        await visitor.page.evaluate(VISIT, {**what, "batching": batching, "customer": customer})
        # The shop's page proves nobody's identity, so its users are kept apart.
        taken = "SELECT count(*) FROM user_items WHERE user_id = $1 AND item_id = ANY($2)"
        user_id = f"segment:{customer}"

        async def all_there() -> bool:
            return await stored(stack, taken, user_id, [viewed, *bought]) == 3

        assert await eventually(all_there)
        calls = [path.partition("/v1/")[2] for path, _ in visitor.sent]
        assert set(calls) == ({"b"} if batching else {"p", "i", "t"})
