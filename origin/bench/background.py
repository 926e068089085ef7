"""Events of other visitors, straight into Kafka at a steady rate, from a process of their own.

Everything but its id is encoded beforehand, so that the load takes little of the machine that is
measured: an event costs a slice and the client's append.
"""

import asyncio
import multiprocessing
import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from attune.consent import Consent
from attune.context import Context
from attune.contract.event import Interaction, partition_key
from attune.contract.logged import log_form
from origin.demo.processes import ProcessError
from origin.event_log import EVENTS, PARTITIONS, RETENTION_MS, open_event_log
from origin.event_log.port import Entry
from origin.packing import packed

USERS = 20_000
TICKS_PER_S = 20
"""Appends a second: the load comes in small portions, as it does from many edges."""
STOP_TIMEOUT_S = 10.0


@contextmanager
def background(kafka: str, per_s: int, items: int) -> Iterator[None]:
    """Keep appending events while the block runs."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_load, args=(kafka, per_s, items), daemon=True)
    process.start()
    try:
        yield
        if not process.is_alive():
            raise ProcessError(f"the load ended by itself with status {process.exitcode}")
    finally:
        process.terminate()
        process.join(STOP_TIMEOUT_S)


def encoded(per_tick: int, items: int, rng: random.Random) -> Iterator[list[Entry]]:
    """Return endless portions of events with new ids, by random users on random items."""
    placeholder = uuid.uuid4().hex
    forms: list[tuple[bytes, bytes, bytes]] = []
    now_ms = time.time_ns() // 1_000_000
    for number in range(USERS):
        event = Interaction(
            event_id=placeholder,
            consent=Consent.FULL,
            user_id=f"other-{number}",
            session_id=f"visit-{number}",
            occurred_at_ms=now_ms,
            action="click",
            surface="home",
            context=Context(),
            item_id=f"item-{rng.randrange(items)}",
        )
        head, tail = packed(log_form(event)).split(placeholder.encode())
        forms.append((partition_key(event).encode(), head, tail))
    number = rng.getrandbits(100)
    while True:
        portion: list[Entry] = []
        for key, head, tail in rng.choices(forms, k=per_tick):
            number += 1
            portion.append((key, head + b"%032x" % number + tail))
        yield portion


def _load(kafka: str, per_s: int, items: int) -> None:
    asyncio.run(_append(kafka, per_s, items))


async def _append(kafka: str, per_s: int, items: int) -> None:
    rng = random.Random(4)  # noqa: S311 - traffic, not secrets
    portions = encoded(max(1, per_s // TICKS_PER_S), items, rng)
    async with await open_event_log("", kafka, PARTITIONS, RETENTION_MS) as log:
        due_s = time.perf_counter()
        for portion in portions:
            await log.append(EVENTS, portion)
            due_s += len(portion) / per_s
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
