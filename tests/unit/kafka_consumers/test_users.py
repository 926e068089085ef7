from kafka_consumers.met import met_items
from origin.storage.port import EXPOSURES_MAX, USER_RECENT_MAX, UserRow
from tests.unit.kafka_consumers.events import batch, impression, interaction, learned_users


async def test_showings_are_counted_until_the_user_acts_on_the_item() -> None:
    events = (impression("s1", "a", "b"), impression("s2", "b", "c"), interaction("a"))
    row = (await learned_users(*events))["ann"]
    assert dict(row.exposures) == {"b": 2, "c": 1}


async def test_the_least_recently_shown_items_are_forgotten_first() -> None:
    known = UserRow("ann", exposures={f"old-{number}": 1 for number in range(EXPOSURES_MAX)})
    row = (await learned_users(impression("s", "old-0", "new"), rows=(known,)))["ann"]
    assert len(row.exposures) == EXPOSURES_MAX
    assert "old-1" not in row.exposures
    assert list(row.exposures)[-2:] == ["old-0", "new"]


async def test_the_recent_items_are_a_bounded_list_oldest_first() -> None:
    events = [interaction(f"item-{number}") for number in range(USER_RECENT_MAX + 5)]
    row = (await learned_users(*events))["ann"]
    assert [recent.item_id for recent in row.recent] == [event.item_id for event in events][5:]
    assert row.interactions == USER_RECENT_MAX + 5


async def test_an_event_without_a_user_touches_no_row() -> None:
    events = (interaction("a", user_id=None), impression("s", "a", user_id=None))
    assert await learned_users(*events) == {}
    assert met_items(batch(*events).interactions) == []


async def test_a_view_does_not_hide_a_purchase() -> None:
    events = (interaction("a", "purchase", at_ms=1), interaction("a", "view", at_ms=2))
    (met,) = met_items(events)
    assert (met.action, met.occurred_at_ms) == ("purchase", 2)
