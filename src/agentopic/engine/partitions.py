"""Partitions: leased in the journal like lanes, read by manual assignment, stored batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agentopic.engine.batches import Store
from agentopic.engine.options import EngineOptions
from agentopic.engine.topics import TopicCatalog
from agentopic.engine.writer import Writer
from agentopic.errors import (
    ConfigError,
    JournalUnavailableError,
    MissingTopicError,
    OffsetOutOfRangeError,
    TransportError,
    UnreachableError,
)
from agentopic.ports.admin import OffsetRange, TopicAdmin
from agentopic.ports.clock import Clock
from agentopic.ports.journal import IntakeBatch, MarkAdvance
from agentopic.ports.transport import Reader, Record, TopicPartition, Transport
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

READ_RECORDS = 500
READ_SECONDS = 0.2
PAUSE_SECONDS = 0.1
COMMIT_SECONDS = 1.0
CATALOG_SECONDS = 5.0
"""How old the list of topics may be from which none is missing: a large cluster's takes long to decode."""
UNREAD_LIMIT = 1000


class StartPoint:
    """Where an agent type begins that has never read anything: a week of history is never billed by accident."""

    def __init__(self, start_from: str | None, group: str) -> None:
        self._group = group
        self.at_end = start_from in {"registration", "latest"}
        self._given = start_from is not None
        self._since_ms = 0
        if start_from is not None and not self.at_end and start_from != "earliest":
            self._since_ms = _time_ms(start_from)

    def check(self, unread: int) -> None:
        """Refuse a first start that would silently read a long history.

        Raises:
            ConfigError: more than 1,000 unread records and nobody said where to begin.
        """
        if not self._given and unread > UNREAD_LIMIT:
            raise ConfigError(
                f"{self._group} starts for the first time and finds {unread} unread records: say where to begin with"
                " start_from (AGENTOPIC_START_FROM): 'earliest', 'registration' or an ISO 8601 time"
            )

    def wants(self, record: Record) -> bool:
        """Whether a record is to be handled, not only passed over."""
        return record.timestamp_ms >= self._since_ms


class ReadSize:
    """How many records to ask for, so that what is read and not yet stored stays within the buffer.

    Records are taken to be as large as allowed until seen, then as the largest of the batch before; it grows by
    doubling. A sudden change is bounded by what the transport fetches at once.
    """

    def __init__(self, buffer_bytes: int, largest_bytes: int) -> None:
        self._buffer = buffer_bytes
        self.records = min(READ_RECORDS, max(1, buffer_bytes // largest_bytes))

    def note(self, records: Sequence[Record]) -> None:
        """Learn from a batch."""
        largest = max(_bytes(each) for each in records)
        self.records = min(READ_RECORDS, 2 * self.records, max(1, self._buffer // max(1, largest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a reader reads."""

    group: str
    """The name its watermarks and offsets are kept under."""
    readable: Callable[[Iterable[str]], Sequence[str]]
    """Which of the given Kafka topics it reads."""
    is_complete: Callable[[Iterable[str]], bool]
    """Whether none that it reads can be missing among the given Kafka topics."""
    start_point: StartPoint
    backlog_of: str | None
    """The group whose stored and not yet started deliveries hold it back; None: nothing ever does."""


class PartitionReader:
    """Reads this process's share of a group's partitions and has each batch stored."""

    def __init__(
        self,
        source: Source,
        *,
        transport: Transport,
        admin: TopicAdmin,
        catalog: TopicCatalog,
        writer: Writer,
        clock: Clock,
        options: EngineOptions,
    ) -> None:
        self._source, self._writer, self._clock, self._options = source, writer, clock, options
        self._group = source.group
        self._transport, self._admin, self._catalog = transport, admin, catalog
        self._lease_seconds = min(1.0, options.lease_seconds / 5)
        self.start_point = source.start_point
        self._marks: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._first_lease = True
        self._unsure = self._is_complete = False
        self._leased_at = self._committed_at = float("-inf")
        self._size = ReadSize(options.message_buffer_bytes, options.max_event_bytes)
        self._stored_since_count = options.message_queue_size
        self._backlog = 0

    async def run(self, store: Store, ready: asyncio.Event) -> None:
        """Lease, read and store until cancelled; `ready` is set when the first lease is held.

        Raises:
            ConfigError: the first start needs `start_from`.
        """
        reader = await self._open()
        try:
            while True:
                try:
                    await self._turn(reader, store, ready)
                except JournalUnavailableError:
                    self._forget()
                except (TransportError, UnreachableError, MissingTopicError) as exc:
                    log.warning("reading failed, trying again", group=self._group, error=str(exc))
                    await asyncio.sleep(COMMIT_SECONDS)
        finally:
            await reader.aclose()

    async def _open(self) -> Reader:
        """Return a reader as soon as the broker gives one: a life may begin while it is away."""
        while True:
            try:
                return await self._transport.reader(self._group)
            except (TransportError, UnreachableError) as exc:
                log.warning("reading cannot begin, trying again", group=self._group, error=str(exc))
                await asyncio.sleep(COMMIT_SECONDS)

    async def _turn(self, reader: Reader, store: Store, ready: asyncio.Event) -> None:
        now = self._clock.monotonic()
        if now - self._leased_at >= self._lease_seconds:
            await self._lease(reader)
            self._leased_at = now
            ready.set()
        if now - self._committed_at >= COMMIT_SECONDS:
            await self._commit_offsets(reader)
            self._committed_at = now
        if not self._positions or await self._is_full():
            await asyncio.sleep(PAUSE_SECONDS)
            return
        try:
            records = await reader.read(min(self._size.records, self._room()), READ_SECONDS)
        except OffsetOutOfRangeError as exc:
            await self._find_place(reader, exc)
            return
        if records:
            self._size.note(records)
            await self._store(reader, store, records)

    async def _store(self, reader: Reader, store: Store, records: Sequence[Record]) -> None:
        mine = [each for each in records if TopicPartition(each.topic, each.partition) in self._positions]
        if not mine:
            return
        stored = await store.store(mine, self._marks)
        for partition, position in stored.marks.items():
            self._marks[partition] = self._positions[partition] = position
        self._stored_since_count += stored.deliveries
        if stored.stale:
            for partition in stored.stale:
                self._positions.pop(partition, None)
                self._marks.pop(partition, None)
            await reader.assign(self._positions)
            self._leased_at = float("-inf")
        elif stored.is_ahead:
            await asyncio.sleep(PAUSE_SECONDS)

    # ── leases and positions ───────────────────────────────────────────────────────────────────────────────

    async def _lease(self, reader: Reader) -> None:
        topics = await self._catalog.recent(CATALOG_SECONDS if self._is_complete else self._lease_seconds / 2)
        self._is_complete = self._source.is_complete(topics)
        every = [
            TopicPartition(topic, index) for topic in self._source.readable(topics) for index in range(topics[topic])
        ]
        leased = await self._writer.call(lambda: self._writer.journal.lease(self._writer.me, self._group, every))
        kept = {
            partition: position
            for partition, position in self._positions.items()
            if partition in leased and leased[partition] == self._marks.get(partition)
        }
        new = [partition for partition in leased if partition not in kept]
        if kept == self._positions and not new:
            return
        if self._unsure or kept.keys() != self._positions.keys():
            # A reader keeps its place in what stays assigned: only what leaves can be read from elsewhere.
            await reader.assign(kept)
            self._positions, self._unsure = kept, False
        wanted = {**kept, **await self._starts({partition: leased[partition] for partition in new})}
        await reader.assign(wanted)
        self._positions, self._marks = wanted, dict(wanted)
        log.info("partitions leased", group=self._group, partitions=len(self._positions))

    def _forget(self) -> None:
        """Begin anew from the marks in the journal: what was read may have been stored, or not."""
        self._positions.clear()
        self._marks.clear()
        self._unsure = True
        self._leased_at = float("-inf")

    async def _starts(self, marks: Mapping[TopicPartition, int | None]) -> dict[TopicPartition, int]:
        fresh = [partition for partition, mark in marks.items() if mark is None]
        ranges = await self._admin.offsets(fresh)
        first_start = self._first_lease and len(fresh) == len(marks)
        if first_start:
            self.start_point.check(sum(each.end - each.beginning for each in ranges.values()))
        at_end = self.start_point.at_end and first_start
        self._first_lease = False
        pinned = await self._pin(
            {partition: held.end if at_end else held.beginning for partition, held in ranges.items()}
        )
        return {partition: mark for partition, mark in marks.items() if mark is not None} | pinned

    async def _pin(self, starts: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Store where partitions begin that were never read, so that the next process does not choose anew."""
        if not starts:
            return {}
        advances = [MarkAdvance(partition=each, known=None, next=at) for each, at in starts.items()]
        batch = IntakeBatch(group=self._group, marks=advances, deliveries=())
        intaken = await self._writer.call(lambda: self._writer.journal.intake(self._writer.me, batch))
        return {partition: at for partition, at in starts.items() if partition not in intaken.stale}

    async def _find_place(self, reader: Reader, error: OffsetOutOfRangeError) -> None:
        try:
            await self._out_of_range(reader, error)
        except (TransportError, UnreachableError, MissingTopicError):
            self._forget()  # the position is looked for again as soon as the broker answers
            raise

    async def _out_of_range(self, reader: Reader, error: OffsetOutOfRangeError) -> None:
        partition = TopicPartition(error.topic, error.partition)
        held = (await self._admin.offsets([partition])).get(partition)
        if held is None or error.offset > held.end:
            log.error(
                "the watermark lies beyond the end of the log: was the topic re-created? not reading it",
                kafka_topic=error.topic,
                partition=error.partition,
                watermark=error.offset,
            )
            self._positions.pop(partition, None)
        else:
            log.error(
                "records were deleted by retention before they were read",
                kafka_topic=error.topic,
                partition=error.partition,
                lost=held.beginning - error.offset,
            )
            self._positions[partition] = held.beginning
            await reader.assign({each: at for each, at in self._positions.items() if each != partition})
        await reader.assign(self._positions)

    async def _commit_offsets(self, reader: Reader) -> None:
        if self._marks:
            await reader.commit(self._marks)

    # ── limits ─────────────────────────────────────────────────────────────────────────────────────────────

    def _room(self) -> int:
        if self._source.backlog_of is None:
            return READ_RECORDS
        return self._options.message_queue_size - self._backlog - self._stored_since_count

    async def _is_full(self) -> bool:
        if self._room() > 0:
            return False
        group = self._source.backlog_of or ""
        counted = await self._writer.read(lambda: self._writer.journal.backlog([group]))
        self._backlog = counted[group].unstarted if group in counted else 0
        self._stored_since_count = 0
        return self._room() <= 0

    async def unread(self, held: Mapping[TopicPartition, OffsetRange]) -> int:
        """Return how many records before the given ends are not yet stored, here or by whoever reads them."""
        elsewhere = [partition for partition in held if partition not in self._positions]
        stored = dict(self._positions)
        if elsewhere:
            stored.update(await self._admin.committed(self._group, elsewhere))
        return sum(max(0, reach.end - stored.get(partition, reach.beginning)) for partition, reach in held.items())


def _bytes(record: Record) -> int:
    size = len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        size += len(name) + len(value)
    return size


def _time_ms(start_from: str) -> int:
    try:
        moment = datetime.fromisoformat(start_from)
    except ValueError as exc:
        raise ConfigError(f"start_from is {start_from!r}: use 'earliest', 'registration' or an ISO 8601 time") from exc
    return int(moment.timestamp() * 1000)
