"""Questions about places in Kafka's topics: where they end, what stands there since when."""
# aiokafka types few of its arguments and results.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from origin.event_log.port import LogUnavailableError

LOOK_BYTES_MAX = 64 * 1024
"""Fetched of a partition to see one record of it."""
ANSWER_TIMEOUT_S = 5.0
"""For a whole question: the client itself would go on for 40 s while no broker answers."""
LOOK_TIMEOUT_S = 2.0
"""For one record that is there: a healthy broker takes milliseconds."""


class KafkaPlaces:
    """Asks with one reader that belongs to no group, opened with the first question."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._consumer: AIOKafkaConsumer | None = None
        self._asking = asyncio.Lock()

    async def ends(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """Return for every partition the offset that the next record will get."""
        places = [TopicPartition(topic, partition) for partition in partitions]
        async with self._reader() as reader:
            ends = await reader.end_offsets(places)
        return {place.partition: offset for place, offset in ends.items()}

    async def at(self, topic: str, partitions: Iterable[int], time_ms: int) -> dict[int, int]:
        """Return for every partition its first offset at or after the time, else its end."""
        places = [TopicPartition(topic, partition) for partition in partitions]
        async with self._reader() as reader:
            found = await reader.offsets_for_times(dict.fromkeys(places, time_ms))
            ends = await reader.end_offsets(places)
        return {
            place.partition: ends[place] if found[place] is None else found[place].offset
            for place in places
        }

    async def times(self, topic: str, offsets: Mapping[int, int]) -> dict[int, int]:
        """Return when the first record at or after each offset was appended, where there is one."""
        times: dict[int, int] = {}
        ends = await self.ends(topic, offsets)
        async with self._reader() as reader:
            places = [TopicPartition(topic, part) for part in offsets if offsets[part] < ends[part]]
            if not places:
                return times
            reader.assign(places)
            try:
                for place in places:
                    reader.seek(place, offsets[place.partition])
                for place in places:
                    async with asyncio.timeout(LOOK_TIMEOUT_S):
                        times[place.partition] = (await reader.getone(place)).timestamp
            finally:
                reader.unsubscribe()
        return times

    async def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    @asynccontextmanager
    async def _reader(self) -> AsyncGenerator[AIOKafkaConsumer]:
        async with self._asking:
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    if self._consumer is None:
                        self._consumer = await self._opened()
                    yield self._consumer
            except (KafkaError, TimeoutError, OSError) as error:
                raise LogUnavailableError(f"Kafka does not answer: {error!r}") from error

    async def _opened(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=LOOK_BYTES_MAX,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer
