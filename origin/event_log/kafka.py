"""The event log on Apache Kafka.

Groups use Kafka's group protocol for the assignment of partitions alone: where a group stands is
stored by its processors, so every read starts with the offset it is told.
"""
# aiokafka types few of its arguments and results.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import IllegalStateError, KafkaError, TopicAlreadyExistsError, for_code

from origin.event_log.kafka_places import KafkaPlaces
from origin.event_log.port import (
    Entry,
    LogOverloadedError,
    LogUnavailableError,
    Record,
    partition_of,
)

APPENDS_WAITING_MAX = 50_000
"""Records that may wait for the brokers; beyond it the log is overloaded and says so."""
APPEND_TIMEOUT_MS = 10_000
"""A producer without an answer for so long gives up: the browser has stopped waiting."""
FETCH_WAIT_MS = 500
"""How long the broker may hold an empty fetch. A record ends the wait at once: measured on Apache
Kafka 4.4, 20 and 500 ms give the same 3.3 ms from append to read, 500 with fewer idle questions."""
FETCH_BYTES_MAX = 8 * 1024 * 1024
"""Bound on the records that one fetch brings into memory."""
SESSION_TIMEOUT_MS = 6_000
"""A killed reader's partitions go to the others after this; the broker accepts no less."""


class KafkaEventLog:
    """Topics on a Kafka cluster, created on first use."""

    def __init__(
        self,
        bootstrap_servers: str,
        producer: AIOKafkaProducer,
        partitions: int,
        retention_ms: int,
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._producer = producer
        self._partitions_wanted = partitions
        self._retention_ms = retention_ms
        self._partitions: dict[str, int] = {}
        self._records_waiting = 0
        self._places = KafkaPlaces(bootstrap_servers)

    @classmethod
    async def open(cls, bootstrap_servers: str, partitions: int, retention_ms: int) -> Self:
        """Connect to the cluster.

        Args:
            bootstrap_servers: ``host:port`` of some brokers, separated by commas.
            partitions: of a topic that does not exist yet.
            retention_ms: how long records of such a topic are kept. The number of its replicas is
                the cluster's ``default.replication.factor``.

        Raises:
            LogUnavailableError: when no broker answers.
        """
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap_servers,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=APPEND_TIMEOUT_MS,
            max_batch_size=256 * 1024,
        )
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            raise LogUnavailableError(f"no Kafka broker answers at {bootstrap_servers}") from error
        except asyncio.CancelledError:
            await producer.stop()  # whoever wanted the log has stopped waiting for it
            raise
        return cls(bootstrap_servers, producer, partitions, retention_ms)

    @property
    def retention_ms(self) -> int:
        """Return how long records are kept at least."""
        return self._retention_ms

    async def append(self, topic: str, entries: Sequence[Entry]) -> dict[int, int]:
        """Append the records; return their last places when every in-sync replica has them."""
        partitions = await self.partitions(topic)
        if self._records_waiting + len(entries) > APPENDS_WAITING_MAX:
            raise LogOverloadedError(f"{self._records_waiting} records wait to be appended")
        self._records_waiting += len(entries)
        confirmations: list[asyncio.Future[Any]] = []
        try:
            for key, value in entries:
                place = partition_of(key, partitions)
                confirmations.append(
                    await self._producer.send(topic, value=value, key=key, partition=place)
                )
            confirmed = await asyncio.gather(*confirmations)
        except KafkaError as error:
            raise LogUnavailableError(f"Kafka did not confirm the records: {error}") from error
        finally:
            self._records_waiting -= len(entries)
            for confirmation in confirmations:
                confirmation.cancel()  # nobody waits for what is still open
        places: dict[int, int] = {}
        for record in confirmed:
            places[record.partition] = max(record.offset, places.get(record.partition, 0))
        return places

    async def partitions(self, topic: str) -> int:
        """Return the number of partitions of the topic, which exists afterwards."""
        if topic not in self._partitions:
            try:
                await self._create(topic)
                self._partitions[topic] = len(await self._producer.partitions_for(topic))
            except (KafkaError, OSError) as error:
                raise LogUnavailableError(
                    f"Kafka does not know the topic {topic}: {error}"
                ) from error
        return self._partitions[topic]

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """Return for every partition the offset that the next record will get."""
        return await self._places.ends(topic, range(await self.partitions(topic)))

    async def offsets_at(self, topic: str, time_ms: int) -> dict[int, int]:
        """Return for every partition its first offset at or after the time, else its end."""
        return await self._places.at(topic, range(await self.partitions(topic)), time_ms)

    async def times_at(self, topic: str, offsets: Mapping[int, int]) -> dict[int, int]:
        """Return when the first record at or after each offset was appended, where there is one."""
        await self.partitions(topic)
        return await self._places.times(topic, offsets)

    async def join(self, topic: str, group: str) -> "KafkaMember":
        """Return a new reader in the group."""
        await self.partitions(topic)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers,
            group_id=group,
            enable_auto_commit=False,
            # Where the protocol starts a partition before read() seeks: never behind a record
            # that was not processed, so nothing can be skipped.
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_max_bytes=FETCH_BYTES_MAX,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 6,
        )
        member = KafkaMember(topic, consumer)
        try:
            await consumer.start()
        except KafkaError as error:
            await consumer.stop()
            raise LogUnavailableError(f"Kafka does not answer: {error}") from error
        consumer.subscribe([topic], listener=member)
        return member

    async def prune(self, topic: str) -> int:
        """Return 0: the brokers drop old records themselves."""
        return 0

    async def close(self) -> None:
        """Send what was accepted, then disconnect."""
        await self._places.close()
        await self._producer.stop()

    async def __aenter__(self) -> Self:
        """Return the log itself, to be closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the log."""
        await self.close()

    async def _create(self, topic: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap_servers)
        configs = {"retention.ms": str(self._retention_ms)}
        wanted = NewTopic(topic, self._partitions_wanted, 1, topic_configs=configs)
        # The protocol's word for "the cluster's default"; the constructor does not take it.
        wanted.replication_factor = -1
        try:
            await admin.start()
            answer = await admin.create_topics([wanted])
            for _, code, *_ in answer.topic_errors:
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise for_code(code)()
        finally:
            await admin.close()


class KafkaMember(ConsumerRebalanceListener):
    """One reader of a topic in a Kafka group."""

    def __init__(self, topic: str, consumer: AIOKafkaConsumer) -> None:
        self._topic = topic
        self._consumer = consumer
        # Where the client goes on by itself; read() seeks when it is asked for another place.
        self._places: dict[int, int] = {}

    async def assignment(self) -> frozenset[int]:
        """Return the partitions that are this reader's at present."""
        return frozenset(place.partition for place in self._consumer.assignment())

    async def read(
        self, positions: Mapping[int, int], records_max: int, wait_ms: int
    ) -> list[Record]:
        """Return the records at and after ``positions``, in order within each partition."""
        try:
            wanted = [self._seek(partition, offset) for partition, offset in positions.items()]
            if not wanted:
                await asyncio.sleep(wait_ms / 1000)
                return []
            batches = await self._consumer.getmany(
                *wanted, timeout_ms=wait_ms, max_records=records_max
            )
        except IllegalStateError:
            return []  # A partition was taken away meanwhile: the next assignment() tells.
        except KafkaError as error:
            raise LogUnavailableError(f"Kafka does not answer: {error}") from error
        records = [
            Record(
                found.topic,
                found.partition,
                found.offset,
                found.key or b"",
                found.value or b"",
                found.timestamp,
            )
            for batch in batches.values()
            for found in batch
            # After a rebalance the client may begin before the place that it was told.
            if found.offset >= positions[found.partition]
        ]
        for record in records:
            self._places[record.partition] = record.offset + 1
        return records

    async def leave(self) -> None:
        """Give the partitions back to the rest of the group."""
        try:
            await self._consumer.stop()
        except asyncio.CancelledError:
            # While no broker answers, the client's stop() is ended by the end of its own fetches.
            await self._consumer._client.close()  # pyright: ignore[reportPrivateUsage]
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget the places: whoever gets the partitions seeks first."""
        self._places.clear()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Forget the places: the client starts the partitions elsewhere."""
        self._places.clear()

    def _seek(self, partition: int, offset: int) -> TopicPartition:
        place = TopicPartition(self._topic, partition)
        if self._places.get(partition) != offset:
            self._consumer.seek(place, offset)
            self._places[partition] = offset
        return place
