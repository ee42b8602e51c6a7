"""The producing client through its deaths: started in bounded time, replaced when it is beyond healing."""

from __future__ import annotations

import asyncio
from functools import partial

from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from agentopic.adapters.transport.kafka_client import Producer, new_producer
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.adapters.transport.kafka_start import ClientStarts, within
from agentopic.errors import TransportError, UnreachableError

_RETRY_SECONDS = 0.25
_LOOKUP_RETRY_SECONDS = 0.05
# A topic that was just created reaches all brokers within milliseconds; longer absence is absence.
_LOOKUP_SECONDS = 1.0


class Producers:
    """Hands out the living producer and knows how many partitions a topic has."""

    def __init__(self, options: KafkaOptions) -> None:
        self.starts = ClientStarts()
        self._options = options
        self._current: Producer | None = None
        self._starting = asyncio.Lock()
        self._retirements: set[asyncio.Task[None]] = set()
        self._topics: frozenset[str] = frozenset()
        self._lookups: dict[str, asyncio.Task[int | None]] = {}
        self._closed = False

    async def start(self) -> None:
        """Connect.

        Raises:
            UnreachableError: no broker answers within the start-up time.
        """
        async with self._starting:
            if self._current is None:
                self._current = await self._connect()

    async def current(self) -> Producer:
        """Return a living producer, starting one when the last has been retired.

        Raises:
            TransportError: closed, or no broker answers.
        """
        if self._closed:
            raise TransportError("this transport is closed")
        if self._current is not None:
            return self._current
        try:
            await self.start()
        except UnreachableError as error:
            raise TransportError(str(error)) from error
        return await self.current()

    def retire(self, producer: Producer) -> None:
        """Replace a producer that will not heal; the next `current` waits until it is gone."""
        if self._current is not producer:
            return
        self._current = None
        task = asyncio.create_task(self._stop(producer))
        self._retirements.add(task)
        task.add_done_callback(self._retirements.discard)

    async def partitions(self, topic: str) -> int | None:
        """Return how many partitions a topic has, None if it does not exist; never creates it.

        Raises:
            TransportError: no broker answers.
        """
        producer = await self.current()
        known = producer.client.cluster.partitions_for_topic(topic)
        if known:
            return len(known)
        lookup = self._lookups.get(topic)
        if lookup is None:
            lookup = self._lookups[topic] = asyncio.create_task(self._look_up(producer, topic))
            lookup.add_done_callback(lambda _: self._lookups.pop(topic, None))
        return await asyncio.shield(lookup)

    async def _look_up(self, producer: Producer, topic: str) -> int | None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LOOKUP_SECONDS
        while True:
            try:
                async with asyncio.timeout(self._options.request_timeout_seconds):
                    found = await self._ask(producer, topic)
            except (KafkaError, TimeoutError) as error:
                self.retire(producer)
                raise TransportError(f"topic {topic!r} could not be looked up: {error!r}") from error
            if found is not None or loop.time() > deadline:
                return found
            await asyncio.sleep(_LOOKUP_RETRY_SECONDS)

    async def _ask(self, producer: Producer, topic: str) -> int | None:
        # Asked for explicitly, because the client's own look-up has a broker create what is missing.
        client = producer.client
        node = client.get_random_node()
        if node is None:
            return None
        response = await client.send(node, MetadataRequest([topic], allow_auto_topic_creation=False))
        if any(found["error_code"] or not found["partitions"] for found in response.to_object()["topics"]):
            return None
        self._topics |= {topic}
        await client.set_topics(self._topics)
        known = client.cluster.partitions_for_topic(topic)
        return len(known) if known else None

    async def aclose(self) -> None:
        """Send what is waiting and disconnect, in bounded time. Idempotent."""
        self._closed = True
        for lookup in tuple(self._lookups.values()):
            lookup.cancel()
        current, self._current = self._current, None
        if current is not None:
            await self._stop(current)
        await self._retired()
        await self.starts.settle(self._options.close_timeout_seconds)

    async def _connect(self) -> Producer:
        await self._retired()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._options.start_timeout_seconds
        while True:
            producer = new_producer(self._options)
            try:
                await self.starts.run(
                    self._start(producer), partial(self._stop, producer), max(deadline - loop.time(), 0.0)
                )
            except (KafkaError, OSError, TimeoutError) as error:
                if loop.time() + _RETRY_SECONDS >= deadline:
                    raise self._unreachable(error) from error
            else:
                return producer
            await asyncio.sleep(_RETRY_SECONDS)

    async def _start(self, producer: Producer) -> None:
        await producer.start()
        if self._topics:
            await producer.client.set_topics(self._topics)

    async def _stop(self, producer: Producer) -> None:
        await within(self._options.close_timeout_seconds, "a Kafka producer", producer.stop())
        await within(self._options.close_timeout_seconds, "a Kafka connection", producer.client.close())

    async def _retired(self) -> None:
        # Gone before its successor sends, so that nothing late of the old one lands behind newer records.
        if self._retirements:
            await asyncio.wait(tuple(self._retirements))

    def _unreachable(self, error: BaseException) -> UnreachableError:
        seconds = self._options.start_timeout_seconds
        return UnreachableError(f"no Kafka broker answers at {self._options.bootstrap} within {seconds:g} s: {error!r}")
