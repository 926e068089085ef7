"""What the embedded log promises beyond the contract: it does by itself what brokers do."""

import asyncio
import uuid

import asyncpg
import pytest

from origin.event_log.embedded import EmbeddedEventLog
from origin.event_log.port import LogUnavailableError


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid.uuid4().hex[:8]}"


async def test_records_older_than_the_retention_are_dropped_and_offsets_go_on(
    postgres_url: str, topic: str
) -> None:
    async with await EmbeddedEventLog.open(postgres_url, 1, retention_ms=300) as log:
        await log.append(topic, [(b"key", b"old")] * 3)
        await asyncio.sleep(0.4)
        await log.append(topic, [(b"key", b"young")])
        assert await log.prune(topic) == 3
        assert await log.prune(topic) == 0
        member = await log.join(topic, "group")
        (record,) = await member.read({0: 0}, 10, 0)
        await member.leave()
        assert (record.value, record.offset) == (b"young", 3)
        assert await log.end_offsets(topic) == {0: 4}


async def test_a_member_that_dies_leaves_its_partitions_at_once(
    postgres_url: str, topic: str
) -> None:
    async with await EmbeddedEventLog.open(postgres_url, 4, 1_000_000) as log:
        survivor, victim = await log.join(topic, "group"), await log.join(topic, "group")
        assert len(await survivor.assignment()) == 2
        connection = await asyncpg.connect(postgres_url)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            " AND pid = (SELECT max(pid) FROM pg_locks WHERE locktype = 'advisory')"
        )
        await connection.close()
        async with asyncio.timeout(5):
            counts: set[int] = set()
            while 4 not in counts:
                await asyncio.sleep(0.1)
                for member in (survivor, victim):
                    try:
                        counts.add(len(await member.assignment()))
                    except LogUnavailableError:
                        counts.add(0)
        assert 0 in counts
        await survivor.leave()
        await victim.leave()


async def test_an_overloaded_log_says_so_instead_of_growing(
    postgres_url: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("origin.event_log.embedded.APPENDS_WAITING_MAX", 10)
    async with await EmbeddedEventLog.open(postgres_url, 4, 1_000_000) as log:
        first = asyncio.create_task(log.append(topic, [(b"key", b"value")] * 8))
        await asyncio.sleep(0)
        with pytest.raises(LogUnavailableError):
            await log.append(topic, [(b"key", b"value")] * 8)
        await first
        await log.append(topic, [(b"key", b"value")] * 8)


async def test_appends_of_an_unreachable_database_end_as_outages(topic: str) -> None:
    with pytest.raises(LogUnavailableError):
        await EmbeddedEventLog.open("postgresql://nobody@127.0.0.1:9/nothing", 4, 1_000_000)
