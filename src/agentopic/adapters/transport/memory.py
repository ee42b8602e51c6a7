"""The in-memory transport and its admin: for tests and simulation, with the semantics of the durable ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from agentopic.adapters.transport.admission import DEFAULT_RECORD_BYTES
from agentopic.adapters.transport.cursor import Cursor
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.errors import TransportError
from agentopic.ports.admin import OffsetRange, TopicSpec
from agentopic.ports.transport import OutgoingRecord, Record, Sent, TopicPartition


class MemoryReader:
    """Reads one `MemoryLog`; see `agentopic.ports.transport.Reader`."""

    def __init__(self, log: MemoryLog, group: str) -> None:
        self._log = log
        self._group = group
        self._cursor = Cursor()
        self._bell = asyncio.Event()
        self._closed = False
        log.subscribe(self, self._bell.set)

    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read exactly these partitions from now on.

        Raises:
            MissingTopicError: a partition does not exist; the assignment stays what it was.
        """
        self._check_open()
        for part in positions:
            self._log.partition(part)
        self._cursor.assign(positions)
        self._bell.set()

    async def read(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        """Return the next records; empty after the time-out."""
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        await asyncio.sleep(0)  # a caller in a loop must not keep the others from running
        while True:
            self._check_open()
            self._bell.clear()
            records = self._log.fetch(self._cursor.turn(), max_records)
            if records:
                self._cursor.advance(records)
                return records
            try:
                async with asyncio.timeout_at(deadline):
                    await self._bell.wait()
            except TimeoutError:
                return ()

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the next offsets under the group's name."""
        self._check_open()
        self._log.commit(self._group, offsets)

    async def aclose(self) -> None:
        """Stop reading; a `read` under way ends with an error. Idempotent."""
        self._closed = True
        self._log.unsubscribe(self)
        self._bell.set()

    def _check_open(self) -> None:
        if self._closed:
            raise TransportError("this reader is closed")


class MemoryTransport:
    """A process's end of a `MemoryLog`; see `agentopic.ports.transport.Transport`."""

    def __init__(self, log: MemoryLog | None = None, *, max_record_bytes: int = DEFAULT_RECORD_BYTES) -> None:
        self.log = log or MemoryLog()
        self._max_record_bytes = max_record_bytes
        self._readers: list[MemoryReader] = []
        self._closed = False

    async def start(self) -> None:
        """Do nothing: memory is always there."""

    async def send(self, records: Sequence[OutgoingRecord]) -> Sequence[Sent | TransportError]:
        """Append records at once."""
        self._check_open()
        results = self.log.append(records, self._max_record_bytes)
        await asyncio.sleep(0)
        return results

    async def reader(self, group: str) -> MemoryReader:
        """Open a reader that commits under the given group's name."""
        self._check_open()
        reader = MemoryReader(self.log, group)
        self._readers.append(reader)
        return reader

    async def aclose(self) -> None:
        """Close this transport and its readers; the log stays. Idempotent."""
        self._closed = True
        for reader in self._readers:
            await reader.aclose()
        self._readers.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise TransportError("this transport is closed")


class MemoryAdmin:
    """Topic administration of a `MemoryLog`; see `agentopic.ports.admin.TopicAdmin`."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def topics(self) -> Mapping[str, int]:
        """Return every topic's name with its number of partitions."""
        return self._log.topics()

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that do not exist."""
        self._log.create(specs)

    async def offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, OffsetRange]:
        """Return what each partition holds now."""
        found = {part: self._log.offsets(part) for part in partitions}
        return {part: reach for part, reach in found.items() if reach is not None}

    async def committed(self, group: str, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offsets committed under a group's name."""
        found = {part: self._log.committed(group, part) for part in partitions}
        return {part: offset for part, offset in found.items() if offset is not None}

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""
