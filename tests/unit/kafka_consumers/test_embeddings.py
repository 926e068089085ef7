import random

import numpy as np
import pytest

from attune.embedding import EmbeddingRule, normalised, updated_embedding
from origin.storage.port import UserRow
from tests.unit.kafka_consumers.events import HOUR_MS, interaction, learned_users

RULE = EmbeddingRule()
ITEMS = {
    f"item-{number}": np.array(
        normalised([random.Random(number * 100 + axis).gauss(0, 1) for axis in range(64)]),
        dtype=np.float32,
    )
    for number in range(10)
}


async def test_a_batch_moves_users_as_the_kernels_rule_does_one_by_one() -> None:
    rng = random.Random(1)
    events = [
        interaction(
            rng.choice(list(ITEMS)),
            rng.choice(("view", "click", "cart", "purchase", "dismiss")),
            rng.choice(("ann", "bob", "cy")),
            at_ms=number * HOUR_MS // 4,
            event_id=str(number),
        )
        for number in range(60)
    ]
    expected = {name: [0.0] * 64 for name in ("ann", "bob", "cy")}
    seen = dict.fromkeys(expected, 0)
    for event in events:
        assert event.user_id is not None
        item = [float(x) for x in ITEMS[event.item_id]]
        expected[event.user_id] = updated_embedding(
            expected[event.user_id], item, event.action, 0.0, seen[event.user_id], RULE
        )
        seen[event.user_id] += 1
    # A move keeps at least 0.4 of an error and adds a rounding of 1.5e-5; an item's is 3e-5.
    for name, row in (await learned_users(*events, items=ITEMS)).items():
        assert row.embedding == pytest.approx(expected[name], abs=1e-4)
        assert row.interactions == seen[name]


@pytest.mark.parametrize("sizes", [[10, 20], [1] * 30, [29, 1]])
async def test_how_the_log_is_cut_into_batches_changes_no_bit(sizes: list[int]) -> None:
    events = [
        interaction(f"item-{number % 10}", user_id=f"user-{number % 3}", event_id=str(number))
        for number in range(30)
    ]
    whole = await learned_users(*events, items=ITEMS)
    rows: dict[str, UserRow] = {}
    start = 0
    for size in sizes:
        part = events[start : start + size]
        rows |= await learned_users(*part, rows=list(rows.values()), items=ITEMS)
        start += size
    assert repr(rows) == repr(whole)
    assert rows["user-1"].embedding.tobytes() == whole["user-1"].embedding.tobytes()


async def test_an_item_without_embedding_moves_nothing_but_is_remembered() -> None:
    row = (await learned_users(interaction("unknown"), items=ITEMS))["ann"]
    assert not row.embedding.any()
    assert [recent.item_id for recent in row.recent] == ["unknown"]


async def test_history_moves_as_much_as_the_present_and_a_latecomer_less() -> None:
    ancient = interaction("item-1", at_ms=0)
    row = (await learned_users(ancient, items=ITEMS))["ann"]
    assert row.embedding == pytest.approx(ITEMS["item-1"], abs=1e-4)
    start = UserRow("ann", ITEMS["item-1"], covers_until_ms=100 * HOUR_MS, interactions=50)
    late, punctual = (
        interaction("item-2", at_ms=HOUR_MS),
        interaction("item-2", at_ms=100 * HOUR_MS),
    )
    after_late = (await learned_users(late, rows=(start,), items=ITEMS))["ann"]
    after_punctual = (await learned_users(punctual, rows=(start,), items=ITEMS))["ann"]
    target = ITEMS["item-2"]
    assert start.embedding @ target < after_late.embedding @ target
    assert after_late.embedding @ target < after_punctual.embedding @ target
    assert after_late.covers_until_ms == 100 * HOUR_MS
