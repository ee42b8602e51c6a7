"""The Kafka transport: explicit batches out, manual assignment in; see `docs/kafka-client.md` for the traps."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence

from agentopic.adapters.transport.admission import admit, unknown_topic
from agentopic.adapters.transport.kafka_commit import OffsetCommitter
from agentopic.adapters.transport.kafka_consumer import start_consumer
from agentopic.adapters.transport.kafka_lane import PartitionLane
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.adapters.transport.kafka_producer import Producers
from agentopic.adapters.transport.kafka_reader import KafkaReader
from agentopic.errors import RecordRefusedError, TransportError
from agentopic.ports.transport import OutgoingRecord, Sent, TopicPartition

_Outcome = TransportError | asyncio.Future[Sent]


class KafkaTransport:
    """A Kafka cluster as the log; see `agentopic.ports.transport.Transport`."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._producers = Producers(options)
        self._lanes: dict[TopicPartition, PartitionLane] = {}
        self._readers: list[KafkaReader] = []

    async def start(self) -> None:
        """Connect.

        Raises:
            UnreachableError: no broker answers within the start-up time; the message names the addresses.
            MissingExtraError: the chosen compression is not installed.
        """
        await self._producers.start()

    async def send(self, records: Sequence[OutgoingRecord]) -> Sequence[Sent | TransportError]:
        """Append records; each waits for its acknowledgement by all in-sync replicas."""
        topics = {topic: await self._count(topic) for topic in {record.topic for record in records}}
        # One partition for all records without a key of a call: they share a batch.
        chance = random.randrange(1 << 30)
        outcomes = [self._enqueue(record, topics[record.topic], chance) for record in records]
        futures = [outcome for outcome in outcomes if isinstance(outcome, asyncio.Future)]
        await _settled(futures)
        return [_result(outcome) for outcome in outcomes]

    async def _count(self, topic: str) -> int | TransportError:
        try:
            return await self._producers.partitions(topic) or unknown_topic(topic)
        except TransportError as error:
            return error

    def _enqueue(self, record: OutgoingRecord, partitions: int | TransportError, chance: int) -> _Outcome:
        if isinstance(partitions, TransportError):
            return partitions
        place = admit(record, partitions, self._options.max_record_bytes, lambda count: chance % count)
        if isinstance(place, RecordRefusedError):
            return place
        part = TopicPartition(record.topic, place)
        lane = self._lanes.get(part)
        if lane is None:
            lane = self._lanes[part] = PartitionLane(part, self._producers, self._options)
        return lane.put(record)

    async def reader(self, group: str) -> KafkaReader:
        """Open a reader that commits under the given consumer group's name.

        Raises:
            TransportError: no broker answers.
        """
        await self._producers.current()
        consumer = await start_consumer(self._options, self._producers.starts)
        committer = OffsetCommitter(self._producers, self._options, group)
        reader = KafkaReader(consumer, committer, self._options, self._producers)
        self._readers.append(reader)
        return reader

    async def aclose(self) -> None:
        """Send what is waiting and disconnect, each step in bounded time. Idempotent."""
        readers, self._readers = self._readers, []
        await asyncio.gather(*(reader.aclose() for reader in readers))
        lanes, self._lanes = self._lanes, {}
        await asyncio.gather(*(lane.settle(self._options.close_timeout_seconds) for lane in lanes.values()))
        await self._producers.aclose()


async def _settled(futures: Sequence[asyncio.Future[Sent]]) -> None:
    # Cheaper than gathering, and the usual send is of one record.
    try:
        for future in futures:
            with contextlib.suppress(TransportError):
                await future
    except asyncio.CancelledError:
        for future in futures:
            if not future.cancel() and not future.cancelled():
                future.exception()  # nobody is left to take it
        raise


def _result(outcome: _Outcome) -> Sent | TransportError:
    if isinstance(outcome, TransportError):
        return outcome
    error = outcome.exception()
    if error is None:
        return outcome.result()
    return error if isinstance(error, TransportError) else TransportError(repr(error))
