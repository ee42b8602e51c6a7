"""Reading Kafka partitions by manual assignment; what the client fetched and nobody took yet is kept."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence

from aiokafka import errors

from agentopic.adapters.transport.kafka_client import Consumer, Fetched
from agentopic.adapters.transport.kafka_commit import OffsetCommitter
from agentopic.adapters.transport.kafka_consumer import start_consumer, stop_consumer
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.adapters.transport.kafka_producer import Producers
from agentopic.adapters.transport.kafka_salvage import salvage
from agentopic.errors import MissingTopicError, OffsetOutOfRangeError, TransportError
from agentopic.ports.transport import Record, TopicPartition

# The client is asked for at least so many records and so long: what comes in excess is kept.
_POLL_RECORDS = 500
_POLL_SECONDS = 1.0


class KafkaReader:
    """Reads assigned partitions; see `agentopic.ports.transport.Reader`.

    The client's poll runs in a task of its own that no caller can cancel: a cancelled poll of this client
    leaves its counters wrong. Whatever it returns goes to `_buffer` first. The positions kept here, not the
    client's, are the truth: after any error the client is set back to them, because it forgets what it fetched
    beside the partition that failed.
    """

    def __init__(
        self,
        consumer: Consumer,
        committer: OffsetCommitter,
        options: KafkaOptions,
        producers: Producers,
    ) -> None:
        self._consumer = consumer
        self._committer = committer
        self._options = options
        self._producers = producers
        self._next: dict[TopicPartition, int] = {}
        self._buffer: deque[Record] = deque()
        self._error: TransportError | None = None
        self._poll: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._silent_since = time.time()
        self._renewal_due = False
        self._closed = False

    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read exactly these partitions from now on.

        Raises:
            MissingTopicError: a partition does not exist; the assignment stays what it was.
            TransportError: no broker answers.
        """
        self._check_open()
        for topic in {part.topic for part in positions}:
            await self._check_exists(topic, [part.partition for part in positions if part.topic == topic])
        self._check_open()
        if set(positions) == set(self._next):
            return
        self._next = {part: self._next.get(part, offset) for part, offset in positions.items()}
        self._buffer = deque(record for record in self._buffer if _part(record) in self._next)
        self._error = None
        self._silent_since = time.time()
        self._place()
        self._news.set()

    def _place(self) -> None:
        # No await between these: the client must never see a partition without a position.
        self._consumer.assign([part for part, offset in self._next.items() if offset >= 0])
        self._rewind()

    async def _check_exists(self, topic: str, partitions: Sequence[int]) -> None:
        count = await self._producers.partitions(topic)
        missing = [number for number in partitions if number >= (count or 0) or number < 0]
        if missing:
            raise MissingTopicError(topic, f"no partition {missing[0]}; its owner creates it")

    async def read(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        """Return the next records; empty after the time-out."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while True:
            self._check_open()
            if self._buffer:
                return [self._buffer.popleft() for _ in range(min(max_records, len(self._buffer)))]
            self._raise_error()
            self._news.clear()
            self._begin_poll()
            await self._wait(deadline)
            if loop.time() >= deadline and not self._news.is_set():
                self._complain_of_silence()
                return ()

    async def _wait(self, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self._news.wait()
        except TimeoutError:
            return

    def _begin_poll(self) -> None:
        if self._poll is None and any(offset >= 0 for offset in self._next.values()):
            self._poll = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            if self._renewal_due:
                await self._renew()
            fetched = await self._consumer.getmany(timeout_ms=int(_POLL_SECONDS * 1000), max_records=_POLL_RECORDS)
            self._keep(fetched)
        except TransportError as error:
            self._error = error
        except (errors.CorruptRecordException, IndexError, ValueError):
            # One record that the client cannot decode; it does not say of which partition.
            self._rewind()
            await self._salvage_all()
        except errors.KafkaError as error:
            self._error = self._translated(error)
            self._rewind()
        except errors.ConsumerStoppedError:
            self._closed = True
        except BaseException as error:
            self._error = TransportError(f"reading broke down: {error!r}")
            self._rewind()
            raise
        finally:
            self._poll = None
            self._news.set()

    async def _renew(self) -> None:
        # The client knows only the brokers it has met; a new one asks the given addresses again.
        fresh = await start_consumer(self._options, self._producers.starts)
        stale, self._consumer = self._consumer, fresh
        self._renewal_due = False
        self._place()
        await stop_consumer(stale, self._options)
        if self._closed:
            await stop_consumer(fresh, self._options)

    async def _salvage_all(self) -> None:
        for part, offset in tuple(self._next.items()):
            if offset < 0:
                continue
            try:
                await self._producers.partitions(part.topic)
                client = (await self._producers.current()).client
                records, behind = await salvage(client, part, offset, self._options)
            except TransportError as error:
                self._error = error
                continue
            if self._next.get(part) == offset:
                self._buffer.extend(records)
                self._next[part] = behind
                self._consumer.seek(part, behind)

    def _keep(self, fetched: Mapping[TopicPartition, Sequence[Fetched]]) -> None:
        for place, records in fetched.items():
            part = TopicPartition(*place)
            position = self._next.get(part)
            if position is None:
                continue
            kept = [_record(part, record) for record in records if record.offset >= position]
            self._buffer.extend(kept)
            if kept:
                self._next[part] = kept[-1].offset + 1

    def _translated(self, error: errors.KafkaError) -> TransportError | None:
        if not isinstance(error, errors.OffsetOutOfRangeError):
            return TransportError(f"reading failed: {error!r}")
        # Left over from an earlier assignment unless it names a position of this one.
        for place, offset in error.args[0].items():
            if self._next.get(TopicPartition(*place)) == offset:
                return OffsetOutOfRangeError(place[0], place[1], offset)
        return None

    def _rewind(self) -> None:
        for part, offset in self._next.items():
            if offset >= 0:
                self._consumer.seek(part, offset)

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
        for part, offset in self._next.items():
            if offset < 0:
                raise OffsetOutOfRangeError(part.topic, part.partition, offset)

    def _complain_of_silence(self) -> None:
        # An idle partition is answered for many times a second, so silence means a broker or leader is away.
        last = {part: self._consumer.last_poll_timestamp(part) for part, at in self._next.items() if at >= 0}
        if not last:
            return
        now, limit = time.time(), self._options.silence_seconds
        part = min(last, key=lambda one: last[one] or 0)
        silent = now - max((last[part] or 0) / 1000, self._silent_since)
        if silent <= limit:
            return
        self._silent_since = now
        self._renewal_due = all(now - (heard or 0) / 1000 > limit for heard in last.values())
        message = f"no broker has answered for {part.topic}[{part.partition}] for {silent:.0f} s"
        raise TransportError(message)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the next offsets under the group's name, within the commit's time limit."""
        self._check_open()
        if offsets:
            await self._committer.commit(dict(offsets))

    async def aclose(self) -> None:
        """Stop reading, in bounded time; a `read` under way ends with an error. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._news.set()
        await stop_consumer(self._consumer, self._options)
        if self._poll is not None:
            await asyncio.wait([self._poll], timeout=2 * self._options.close_timeout_seconds)

    def _check_open(self) -> None:
        if self._closed:
            raise TransportError("this reader is closed")


def _part(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def _record(part: TopicPartition, fetched: Fetched) -> Record:
    return Record(
        topic=part.topic,
        partition=part.partition,
        offset=fetched.offset,
        timestamp_ms=fetched.timestamp,
        key=fetched.key,
        value=fetched.value,
        headers=tuple([(name, value or b"") for name, value in fetched.headers]),
    )
