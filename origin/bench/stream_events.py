"""Events for the stream's benchmark: drawn in columns, encoded and appended in bulk."""

# aiokafka types few of its arguments and results.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeArgument=false
# pyright: reportUnknownParameterType=false

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from aiokafka import AIOKafkaProducer
from numpy.typing import NDArray

from attune.contract.event import ACTIONS
from attune.contract.logged import INTERACTION_FORM
from origin.event_log.port import partition_of
from origin.packing import packed

ITEMS = 10_000
FULL = 2
ACTION_SHARES = (0.5, 0.35, 0.07, 0.03, 0.05)
EVENTS_PER_S = 20_000
"""The rate at which the events are said to have happened."""
ZIPF = 1.0
BLOCK = 50_000
BATCH_BYTES = 512 * 1024
BATCHES_IN_FLIGHT_MAX = 16


@dataclass(frozen=True, slots=True)
class Traffic:
    """What happened: user, item and action of each event as numbers, and when. (N,)"""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    actions: NDArray[np.int64]
    at_ms: NDArray[np.int64]


def drawn(events: int, users: int, zipf: bool, end_ms: int) -> Traffic:
    """Return seeded events; items follow Zipf's law, users do so or are equally busy."""
    rng = np.random.default_rng(17)
    ages_ms = np.arange(events)[::-1] * 1000 // EVENTS_PER_S
    return Traffic(
        users=_zipf(rng, users, events) if zipf else rng.integers(0, users, events),
        items=_zipf(rng, ITEMS, events),
        actions=rng.choice(len(ACTIONS), events, p=ACTION_SHARES),
        at_ms=end_ms - ages_ms,
    )


def _zipf(rng: np.random.Generator, count: int, draws: int) -> NDArray[np.int64]:
    weights = 1.0 / np.arange(1, count + 1) ** ZIPF
    names = rng.permutation(count)
    return names[np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(draws))]


def encoded(traffic: Traffic, start: int, stop: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield user number, key and value of some of the events."""
    rng = np.random.default_rng(start)
    event_ids = rng.bytes(16 * (stop - start)).hex()
    columns = (traffic.users, traffic.items, traffic.actions, traffic.at_ms)
    rows = zip(*(column[start:stop].tolist() for column in columns), strict=True)
    context = ["mobile", "DE", 20, "shoes"]
    for number, (user, item, action, at_ms) in enumerate(rows):
        event_id = event_ids[32 * number : 32 * number + 32]
        user_id = user_name(user)
        form = [
            INTERACTION_FORM, event_id, FULL, user_id, f"visit-{user}", item_name(item), action,
            at_ms, "home", context, None, None, None,
        ]  # fmt: skip
        yield user, user_id.encode(), packed(form)


def user_name(number: int) -> str:
    """Return a user's id."""
    return f"user-{number:06}"


def item_name(number: int) -> str:
    """Return an item's id."""
    return f"item-{number:05}"


async def append_all(
    bootstrap_servers: str,
    topic: str,
    partitions: int,
    traffic: Traffic,
    tell: Callable[[int], object],
) -> float:
    """Append all events, in batches of our own making; return the seconds it took."""
    users = int(traffic.users.max()) + 1
    places = [partition_of(user_name(user).encode(), partitions) for user in range(users)]
    started_s = time.perf_counter()
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all", max_batch_size=BATCH_BYTES
    )
    await producer.start()
    try:
        for start in range(0, len(traffic.users), BLOCK):
            stop = min(start + BLOCK, len(traffic.users))
            await _append(producer, topic, places, list(encoded(traffic, start, stop)))
            tell(stop - start)
    finally:
        await producer.stop()
    return time.perf_counter() - started_s


async def _append(
    producer: AIOKafkaProducer,
    topic: str,
    places: list[int],
    records: list[tuple[int, bytes, bytes]],
) -> None:
    batches = {}
    sent = []
    for user, key, value in records:
        place = places[user]
        batch = batches.get(place)
        if batch is None:
            batch = batches[place] = producer.create_batch()
        if batch.append(key=key, value=value, timestamp=None) is None:
            sent.append(await producer.send_batch(batch, topic, partition=place))
            batch = batches[place] = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    for place, batch in batches.items():
        sent.append(await producer.send_batch(batch, topic, partition=place))
    for confirmation in sent:
        await confirmation
