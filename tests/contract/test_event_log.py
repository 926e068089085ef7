"""What every event log promises, held against a real PostgreSQL and a real Apache Kafka."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest

from origin.event_log.embedded import EmbeddedEventLog
from origin.event_log.kafka import KafkaEventLog
from origin.event_log.port import EventLog, Member, Record, partition_of

PARTITIONS = 4
WEEK_MS = 7 * 24 * 3600 * 1000


Opener = Callable[[int], Awaitable[EventLog]]
Join = Callable[[str], Awaitable[Member]]


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def open_log(request: pytest.FixtureRequest) -> Opener:
    if request.param == "embedded":
        url = request.getfixturevalue("postgres_url")
        return lambda partitions: EmbeddedEventLog.open(url, partitions, WEEK_MS)
    address = request.getfixturevalue("kafka_broker")
    return lambda partitions: KafkaEventLog.open(address, partitions, WEEK_MS)


@pytest.fixture
async def log(open_log: Opener) -> AsyncIterator[EventLog]:
    async with await open_log(PARTITIONS) as log:
        yield log


@pytest.fixture
async def join(log: EventLog, topic: str) -> AsyncIterator[Join]:
    members: list[Member] = []

    async def join(group: str) -> Member:
        members.append(await log.join(topic, group))
        return members[-1]

    yield join
    for member in members:
        await member.leave()


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid.uuid4().hex[:8]}"


async def _assigned(member: Member, count: int) -> frozenset[int]:
    async with asyncio.timeout(20):
        while len(assigned := await member.assignment()) != count:
            await member.read({}, 1, 20)
    return assigned


async def _read(
    member: Member, count: int, starts: Mapping[int, int] | None = None
) -> list[Record]:
    """Read ``count`` records on, as a processor does; the deadline is the tests' own."""
    records: list[Record] = []
    positions = dict(starts or dict.fromkeys(await _assigned(member, PARTITIONS), 0))
    async with asyncio.timeout(20):
        while len(records) < count:
            for record in await member.read(positions, 1000, 100):
                positions[record.partition] = record.offset + 1
                records.append(record)
    return records


async def test_records_of_a_key_come_back_in_the_order_of_appending(
    log: EventLog, topic: str, join: Join
) -> None:
    for start in range(0, 60, 20):
        await log.append(
            topic, [(b"user-%d" % (n % 7), b"%d" % n) for n in range(start, start + 20)]
        )
    records = await _read(await join("group"), 60)
    by_key: dict[bytes, list[int]] = defaultdict(list)
    for record in records:
        by_key[record.key].append(int(record.value))
    assert by_key == {b"user-%d" % key: list(range(key, 60, 7)) for key in range(7)}


async def test_a_key_always_lives_in_the_partition_that_its_hash_names(
    log: EventLog, topic: str, join: Join
) -> None:
    keys = [b"user-%d" % number for number in range(50)]
    await log.append(topic, [(key, b"") for key in keys])
    assert await log.partitions(topic) == PARTITIONS
    records = await _read(await join("group"), 50)
    assert {record.key: record.partition for record in records} == {
        key: partition_of(key, PARTITIONS) for key in keys
    }


async def test_offsets_are_dense_and_end_where_the_log_says(
    log: EventLog, topic: str, join: Join
) -> None:
    await log.append(topic, [(b"%d" % number, b"x") for number in range(100)])
    records = await _read(await join("group"), 100)
    offsets: dict[int, list[int]] = defaultdict(list)
    for record in records:
        offsets[record.partition].append(record.offset)
    assert all(found == list(range(len(found))) for found in offsets.values())
    ends = {partition: len(offsets[partition]) for partition in range(PARTITIONS)}
    assert await log.end_offsets(topic) == ends


async def test_an_append_says_where_its_last_record_of_each_partition_is(
    log: EventLog, topic: str, join: Join
) -> None:
    async def write(writer: int) -> list[tuple[bytes, int, int]]:
        said: list[tuple[bytes, int, int]] = []
        for number in range(5):
            keys = [b"%d-%d-%d" % (writer, number, place) for place in range(20)]
            places = await log.append(topic, [(key, key) for key in keys])
            last = {partition_of(key, PARTITIONS): key for key in keys}
            assert places.keys() == last.keys()
            said += [(key, partition, places[partition]) for partition, key in last.items()]
        return said

    # Several writers at once: what shares a commit or a request is still told apart.
    said = [place for found in await asyncio.gather(*map(write, range(4))) for place in found]
    found = {record.value: record for record in await _read(await join("group"), 400)}
    assert said == [(key, found[key].partition, found[key].offset) for key, _, _ in said]


async def test_an_empty_append_is_nowhere(log: EventLog, topic: str) -> None:
    assert await log.append(topic, []) == {}


async def test_a_reader_starts_at_the_offset_it_is_told_and_can_go_back(
    log: EventLog, topic: str, join: Join
) -> None:
    await log.append(topic, [(b"key", b"%d" % number) for number in range(10)])
    home = partition_of(b"key", PARTITIONS)
    member = await join("group")
    await _assigned(member, PARTITIONS)
    assert [int(record.value) for record in await _read(member, 3, {home: 7})] == [7, 8, 9]
    assert [int(record.value) for record in await _read(member, 10, {home: 0})] == [*range(10)]


async def test_a_waiting_reader_is_woken_by_an_append(
    log: EventLog, topic: str, join: Join
) -> None:
    await log.append(topic, [(b"key", b"first")])
    home = partition_of(b"key", PARTITIONS)
    member = await join("group")
    await _read(member, 1)
    reading = asyncio.create_task(member.read({home: 1}, 10, 10_000))
    await asyncio.sleep(0.2)
    loop = asyncio.get_running_loop()
    appended_at_s = loop.time()
    await log.append(topic, [(b"key", b"second")])
    records = await reading
    assert [record.value for record in records] == [b"second"]
    assert loop.time() - appended_at_s < 1.0


async def test_a_read_brings_no_more_than_was_asked_for(
    log: EventLog, topic: str, join: Join
) -> None:
    await log.append(topic, [(b"%d" % (number % 9), b"%d" % number) for number in range(200)])
    member = await join("group")
    positions = dict.fromkeys(await _assigned(member, PARTITIONS), 0)
    brought = 0
    async with asyncio.timeout(20):
        while brought < 200:
            records = await member.read(positions, 12, 100)
            assert len(records) <= 12
            brought += len(records)
            positions |= {record.partition: record.offset + 1 for record in records}


async def test_reading_past_the_end_waits_and_returns_nothing(
    log: EventLog, topic: str, join: Join
) -> None:
    member = await join("group")
    assigned = await _assigned(member, PARTITIONS)
    assert await member.read(dict.fromkeys(assigned, 0), 10, 100) == []


async def test_concurrent_writers_lose_nothing_and_keep_each_ones_order(
    log: EventLog, topic: str, join: Join
) -> None:
    async def write(writer: int) -> None:
        for number in range(0, 40, 4):
            await log.append(
                topic,
                [(b"%d" % (n % 5), b"%d %d" % (writer, n)) for n in range(number, number + 4)],
            )

    member = await join("group")
    await _assigned(member, PARTITIONS)
    reading = asyncio.create_task(_read(member, 320))
    await asyncio.gather(*(write(writer) for writer in range(8)))
    told = [(*map(int, record.value.split()), record.key) for record in await reading]
    assert len(set(told)) == len(told) == 320
    for writer in range(8):
        for key in range(5):
            mine = [number for who, number, where in told if (who, where) == (writer, b"%d" % key)]
            assert mine == sorted(mine)


async def test_members_of_a_group_share_the_partitions_and_inherit_them(
    log: EventLog, topic: str, join: Join
) -> None:
    first = await join("group")
    assert await _assigned(first, PARTITIONS) == frozenset(range(PARTITIONS))
    second = await join("group")
    halves = await asyncio.gather(_assigned(first, 2), _assigned(second, 2))
    assert halves[0] | halves[1] == frozenset(range(PARTITIONS))
    await first.leave()
    assert await _assigned(second, PARTITIONS) == frozenset(range(PARTITIONS))


async def test_groups_read_independently(log: EventLog, topic: str, join: Join) -> None:
    await log.append(topic, [(b"key", b"value")])
    for group in ("one", "two"):
        assert len(await _read(await join(group), 1)) == 1


async def test_a_topic_keeps_its_partitions_whoever_opens_it(
    log: EventLog, topic: str, open_log: Opener
) -> None:
    await log.append(topic, [(b"key", b"value")])
    async with await open_log(PARTITIONS * 2) as other:
        assert await other.partitions(topic) == PARTITIONS


async def test_a_time_leads_to_the_first_record_since_and_a_place_to_its_time(
    log: EventLog, topic: str, join: Join
) -> None:
    home = partition_of(b"key", PARTITIONS)
    for number in range(3):
        await log.append(topic, [(b"key", b"%d" % number)])
        await asyncio.sleep(0.02)
    times = [record.appended_at_ms for record in await _read(await join("group"), 3)]
    assert times == sorted(set(times))
    for offset, time_ms in enumerate(times):
        assert (await log.offsets_at(topic, time_ms))[home] == offset
        assert await log.times_at(topic, {home: offset}) == {home: time_ms}
    starts, ends = await log.offsets_at(topic, 0), await log.offsets_at(topic, times[-1] + 1)
    assert starts == dict.fromkeys(range(PARTITIONS), 0)
    assert ends == await log.end_offsets(topic)
    # A partition in which nothing stands at the place is left out.
    assert await log.times_at(topic, ends) == {}
    assert await log.times_at(topic, starts) == {home: times[0]}


async def test_a_log_knows_how_long_it_keeps_records(log: EventLog) -> None:
    assert log.retention_ms == WEEK_MS
