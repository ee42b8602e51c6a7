"""One partition's way to the broker: records in order, one acknowledged batch at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence

from aiokafka.errors import KafkaError

from agentopic.adapters.transport.kafka_client import Acknowledged, Batch, Producer
from agentopic.adapters.transport.kafka_errors import is_fatal, may_be_one_record, of_send
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.adapters.transport.kafka_producer import Producers
from agentopic.errors import RecordRefusedError, TransportError
from agentopic.ports.transport import OutgoingRecord, Sent, TopicPartition

_Entry = tuple[OutgoingRecord, "asyncio.Future[Sent]"]
# How often a wait for an acknowledgement looks whether the topic still exists.
_LOOK_SECONDS = 0.5


class PartitionLane:
    """Takes records of overlapping sends and writes those that wait together as one atomic batch.

    A lone record leaves at once; what comes while a batch is under way goes with the next. A refused batch is
    taken apart until the culprit is alone, so that its neighbours go through. When an outcome is unknown,
    everything that waits fails with the same error, so that nothing overtakes.
    """

    def __init__(self, part: TopicPartition, producers: Producers, options: KafkaOptions) -> None:
        self._part = part
        self._producers = producers
        self._options = options
        self._waiting: deque[_Entry] = deque()
        self._task: asyncio.Task[None] | None = None
        # While a refused batch is taken apart: how many records of it are left, and how many go together.
        self._suspects = 0
        self._width = 1

    def put(self, record: OutgoingRecord) -> asyncio.Future[Sent]:
        """Queue a record; the future is where it lies. Cancelled before its batch is made, it is not sent."""
        future: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, future))
        if self._task is None:
            self._task = asyncio.create_task(self._pump())
        return future

    async def settle(self, timeout_seconds: float) -> None:
        """Wait until nothing waits any more, then give up what still does."""
        task = self._task
        if task is None:
            return
        await asyncio.wait([task], timeout=timeout_seconds)
        self._fail_waiting(TransportError("the transport was closed before this record was acknowledged"))
        task.cancel()
        await asyncio.wait([task])

    async def _pump(self) -> None:
        try:
            while self._waiting:
                await self._send_next()
        finally:
            self._task = None
            self._fail_waiting(TransportError("the record's way to the broker broke down"))

    async def _send_next(self) -> None:
        try:
            producer = await self._producers.current()
        except TransportError as error:
            self._fail_waiting(error)
            return
        batch, entries = self._fill(producer.create_batch())
        if not entries:
            return
        try:
            await self._deliver(producer, batch, entries)
        except BaseException:
            for _, future in entries:  # whoever waits must not wait for ever
                _set_error(future, TransportError("broken off, the record's outcome is unknown"))
            raise

    def _fill(self, batch: Batch) -> tuple[Batch, Sequence[_Entry]]:
        entries: list[_Entry] = []
        limit = min(self._width, self._suspects) if self._suspects else len(self._waiting)
        while self._waiting and len(entries) < limit:
            record, future = self._waiting[0]
            if future.done():
                self._suspects = max(0, self._suspects - 1)
            elif not _append(batch, record):
                break
            else:
                entries.append((record, future))
            self._waiting.popleft()
        return batch, entries

    async def _deliver(self, producer: Producer, batch: Batch, entries: Sequence[_Entry]) -> None:
        try:
            acknowledged = await self._acknowledged(producer, batch)
        except KafkaError as error:
            if is_fatal(error):
                self._producers.retire(producer)
            if len(entries) > 1 and may_be_one_record(error):
                self._take_apart(entries)
            else:
                self._fail(entries, of_send(error, self._part.topic), error)
        except TransportError as error:
            self._fail(entries, error, error)
        else:
            self._suspects = max(0, self._suspects - len(entries))
            self._width = min(2 * self._width, self._suspects or 1)
            for index, (_, future) in enumerate(entries):
                if not future.done():
                    future.set_result(Sent(self._part.partition, acknowledged.offset + index))

    async def _acknowledged(self, producer: Producer, batch: Batch) -> Acknowledged:
        topic, partition = self._part
        if partition not in (producer.client.cluster.partitions_for_topic(topic) or ()):
            raise TransportError(f"topic {topic!r} has lost partition {partition} or is gone")
        seconds = self._options.delivery_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._while_topic_lives(
                    producer, await producer.send_batch(batch, topic, partition=partition)
                )
        except TimeoutError as error:
            self._producers.retire(producer)
            message = f"no acknowledgement for topic {topic!r} within {seconds:g} s, its outcome is unknown"
            raise TransportError(message) from error

    async def _while_topic_lives(self, producer: Producer, answer: Awaitable[Acknowledged]) -> Acknowledged:
        future = asyncio.ensure_future(answer)
        absences = 0
        try:
            while not future.done():
                await asyncio.wait([future], timeout=_LOOK_SECONDS)
                gone = producer.client.cluster.partitions_for_topic(self._part.topic) is None
                absences = absences + 1 if gone else 0
                if absences > 1 and not future.done():
                    raise TransportError(f"topic {self._part.topic!r} is gone, the record's outcome is unknown")
            return future.result()
        finally:
            future.cancel()

    def _take_apart(self, entries: Sequence[_Entry]) -> None:
        self._waiting.extendleft(reversed(entries))
        self._suspects = max(self._suspects, len(entries))
        self._width = max(1, len(entries) // 2)

    def _fail(self, entries: Sequence[_Entry], error: TransportError, cause: BaseException) -> None:
        if error is not cause:
            error.__cause__ = cause
        for _, future in entries:
            _set_error(future, error)
        self._suspects = max(0, self._suspects - len(entries))
        if not isinstance(error, RecordRefusedError):
            self._fail_waiting(error)

    def _fail_waiting(self, error: TransportError) -> None:
        self._suspects = 0
        while self._waiting:
            _set_error(self._waiting.popleft()[1], error)


def _append(batch: Batch, record: OutgoingRecord) -> bool:
    headers = list(record.headers)
    return batch.append(timestamp=None, key=record.key, value=record.value, headers=headers) is not None


def _set_error(future: asyncio.Future[Sent], error: TransportError) -> None:
    if not future.done():
        future.set_exception(error)
