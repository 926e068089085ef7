"""The product through a browser: a click changes the next slate, everything learns from it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from origin.demo.stack import Stack
from tests.e2e.conftest import Visitor

# One event loop for all, because the browser is shared.
pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

Arrives = Callable[..., Awaitable[Visitor]]
LEARNED_WITHIN_SECONDS = 20


async def stored(stack: Stack, query: str, *values: Any) -> Any:
    """Return the first value of a query's first row, from the product's own database."""
    connection = await asyncpg.connect(stack.database_url)
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()


async def eventually(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Return what ``ask`` returns as soon as it is true, or at the deadline."""
    answer = None
    for _ in range(LEARNED_WITHIN_SECONDS * 10):
        if answer := await ask():
            break
        await asyncio.sleep(0.1)
    return answer


async def test_a_click_changes_the_next_slate(arrives: Arrives) -> None:
    visitor = await arrives()
    await visitor.arrive()
    before = await visitor.slate()
    await visitor.look_at(before[3])
    after = await visitor.slate()
    assert len(before) == len(after) == 13
    assert before[3] not in after
    assert after != before


async def test_more_continues_the_slate_without_repeating_an_item(arrives: Arrives) -> None:
    visitor = await arrives()
    await visitor.arrive()
    first = await visitor.slate()
    await visitor.page.click("#more")
    await visitor.page.wait_for_selector(".card[data-item] >> nth=24")
    both = await visitor.slate()
    assert both[:13] == first
    assert len(set(both)) == len(both) == 25
    assert visitor.bodies("/v1/recommendations")[-1]["after"] == first


async def test_a_category_is_kept_to(arrives: Arrives) -> None:
    visitor = await arrives()
    await visitor.arrive()
    chip = visitor.page.locator("#filter button").nth(1)
    category = await chip.inner_text()
    await chip.click()
    only = "() => document.querySelector('#filter [aria-pressed=true]').textContent"
    await visitor.page.wait_for_selector("html:not(.is-waiting)")
    assert (await visitor.page.evaluate(only)).lower() == category.lower()
    asked = visitor.bodies("/v1/recommendations")[-1]["categories"]
    assert [name.lower() for name in asked] == [category.lower()]
    shown = await visitor.slate()
    assert shown
    assert all(item.split("-")[0] == asked[0].lower() for item in shown)


async def test_events_reach_postgres(arrives: Arrives, stack: Stack) -> None:
    visitor = await arrives()
    await visitor.arrive()
    chosen = (await visitor.slate())[1]
    await visitor.page.wait_for_timeout(700)  # A card counts as seen after half a second.
    await visitor.look_at(chosen)
    user_id = await visitor.user_id()
    clicked = "SELECT count(*) FROM user_items WHERE user_id = $1 AND item_id = $2"
    assert await eventually(lambda: stored(stack, clicked, user_id, chosen)) == 1
    shown = "SELECT item_ids FROM impressions WHERE user_id = $1"
    assert chosen in await eventually(lambda: stored(stack, shown, user_id))


async def test_a_click_right_before_leaving_is_not_lost(arrives: Arrives, stack: Stack) -> None:
    visitor = await arrives()
    await visitor.arrive()
    chosen = (await visitor.slate())[0]
    user_id = await visitor.user_id()
    click = f"document.querySelector('[data-item=\"{chosen}\"] .card-open').click()"
    await visitor.page.evaluate(f"{click}; location.href = 'about:blank'")
    clicked = "SELECT count(*) FROM user_items WHERE user_id = $1 AND item_id = $2"
    assert await eventually(lambda: stored(stack, clicked, user_id, chosen)) == 1


async def test_the_page_says_when_the_stream_has_learned(arrives: Arrives) -> None:
    visitor = await arrives()
    await visitor.arrive()
    await visitor.look_at((await visitor.slate())[2])
    await visitor.until_learned()
    said = await visitor.page.inner_text("#freshness")
    assert said.startswith("Your click went through the stream and back in ")


FANS = 8
PAGE_VIEWS = 4

ACT = """
async ({ item_ids, visitors }) => {
  const { createAttune } = await import("/sdk/attune.js");
  for (let visitor = 0; visitor < visitors; visitor++) {
    const attune = createAttune({ consent: "full" });
    if (visitors > 1) attune.reset();
    for (const item_id of item_ids) attune.track("click", item_id);
    await attune.flush();
    attune.close();
  }
}
"""


async def shown_after_looking_at(item_id: str, arrives: Arrives) -> set[str]:
    """Return what a newcomer who looked at the item is shown on the next page views."""
    newcomer = await arrives()
    await newcomer.arrive()
    await newcomer.page.evaluate(ACT, {"item_ids": [item_id], "visitors": 1})
    shown: set[str] = set()
    for _ in range(PAGE_VIEWS):
        await newcomer.page.wait_for_timeout(1_000)  # The edge renews the bundle behind a view.
        await newcomer.arrive()
        shown.update(await newcomer.slate())
    return shown


async def test_a_second_visitor_with_the_same_taste_benefits(
    arrives: Arrives, stack: Stack
) -> None:
    crowd = await arrives()
    await crowd.arrive()
    quiet = "SELECT item_id FROM item_counters WHERE item_id <> ALL($1) ORDER BY levels LIMIT 1"
    first = await stored(stack, quiet, await crowd.slate())
    before = await shown_after_looking_at(first, arrives)
    second = await stored(stack, quiet, [first, *before])
    await crowd.page.evaluate(ACT, {"item_ids": [first, second], "visitors": FANS})
    assert second in await shown_after_looking_at(first, arrives)


async def test_without_consent_nothing_is_stored_and_no_id_is_sent(arrives: Arrives) -> None:
    visitor = await arrives()
    await visitor.arrive()
    await visitor.page.check("input[name=consent][value=none]", force=True)
    await visitor.page.wait_for_selector("text=Nothing remembered.")
    visitor.sent.clear()
    first = (await visitor.slate())[0]
    await visitor.page.click(f'[data-item="{first}"] .card-open')
    await visitor.page.keyboard.press("Escape")
    await visitor.page.reload()
    await visitor.page.wait_for_selector("text=Nothing remembered.")
    requests = visitor.bodies("/v1/recommendations")
    assert len(requests) >= 2
    assert all(body["consent"] == "none" and "user_id" not in body for body in requests)
    assert len({body["session_id"] for body in requests}) == len(requests)
    assert visitor.bodies("/v1/events") == []
    kept = "Object.keys(localStorage).concat(Object.keys(sessionStorage))"
    assert await visitor.page.evaluate(kept) == []
    assert await visitor.context.cookies() == []


async def test_the_cookie_is_out_of_reach_of_scripts(arrives: Arrives) -> None:
    visitor = await arrives()
    await visitor.arrive()
    (cookie,) = await visitor.context.cookies()
    assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Lax")
    assert await visitor.page.evaluate("document.cookie") == ""
    requests = visitor.bodies("/v1/recommendations")
    assert not any("user_id" in body for body in requests)


async def test_global_privacy_control_means_the_crowd_only(arrives: Arrives) -> None:
    visitor = await arrives(extra_http_headers={"Sec-GPC": "1"})
    signal = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"
    await visitor.context.add_init_script(signal)
    await visitor.arrive()
    await visitor.look_at((await visitor.slate())[0])
    sent = [*visitor.bodies("/v1/recommendations")]
    sent += [event for batch in visitor.bodies("/v1/events") for event in batch["events"]]
    assert {body["consent"] for body in sent} == {"cohort"}
    assert not any("user_id" in body for body in sent)


async def test_a_new_visitor_shares_nothing_with_the_last_one(arrives: Arrives) -> None:
    visitor = await arrives()
    await visitor.arrive()
    await visitor.look_at((await visitor.slate())[0])
    await visitor.until_learned()
    last_visitor = await visitor.user_id()
    last_session = visitor.bodies("/v1/recommendations")[0]["session_id"]
    visitor.sent.clear()
    async with visitor.page.expect_request("**/v1/recommendations") as asked:
        await visitor.page.click("#new-visitor")
    body = (await asked.value).post_data_json
    await visitor.page.wait_for_selector("text=Start anywhere.")
    assert body["recent"] == []
    assert await visitor.user_id() != last_visitor
    assert body["session_id"] != last_session
