"""The embedded transport: a log in one SQLite file for the processes of one machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from agentopic.adapters.transport.send_group import Results, SendGroup
from agentopic.adapters.transport.sqlite_reader import SqliteReader
from agentopic.adapters.transport.sqlite_session import SqliteSession, SqliteTransportOptions
from agentopic.adapters.transport.sqlite_wake import Bell
from agentopic.errors import TransportError
from agentopic.ports.admin import OffsetRange, TopicSpec
from agentopic.ports.transport import OutgoingRecord, Sent, TopicPartition

_LISTED_CHECK_SECONDS = 5.0


class SqliteTransport:
    """A durable log in one file; see `agentopic.ports.transport.Transport`.

    Sends that overlap share one transaction. An append is on disk (WAL, synchronous) when `send` returns.
    """

    def __init__(self, options: SqliteTransportOptions) -> None:
        self._options = options
        self._session = SqliteSession(options)
        self._group = SendGroup(self._append)
        self._readers: set[SqliteReader] = set()
        self._bell: Bell | None = None
        self._hanging = asyncio.Lock()
        self._listing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the file and begin to listen for wakes.

        Raises:
            UnreachableError: the file cannot be opened.
        """
        await self._session.open()

    async def send(self, records: Sequence[OutgoingRecord]) -> Sequence[Sent | TransportError]:
        """Append records in one transaction."""
        return await self._group.send(records) if records else ()

    async def _append(self, records: Sequence[OutgoingRecord]) -> Results:
        results = await self._session.write(lambda log: log.append(records))
        self._ring({record.topic for record in records})
        return results

    async def reader(self, group: str) -> SqliteReader:
        """Open a reader that commits under the given group's name."""
        await self._hang_bell()
        reader = SqliteReader(self._session, self._options, group, self._readers.discard)
        self._readers.add(reader)
        return reader

    async def aclose(self) -> None:
        """Close the readers and the file, in bounded time. Idempotent."""
        for reader in tuple(self._readers):
            await reader.aclose()
        await self._group.settle(self._options.close_timeout_seconds)
        await self._take_down_bell()
        await self._session.aclose()

    def _ring(self, topics: AbstractSet[str]) -> None:
        for reader in self._readers:
            if reader.reads_any(topics):
                reader.ring()

    def _ring_all(self) -> None:
        for reader in self._readers:
            reader.ring()

    async def _hang_bell(self) -> None:
        async with self._hanging:
            if self._listing is not None:
                return
            try:
                self._bell = self._bell or await Bell.hang(self._ring_all)
            except OSError:
                return  # no loopback network: readers poll
            await self._list(self._bell.port)
            self._listing = asyncio.create_task(self._stay_listed(self._bell.port))

    async def _list(self, port: int) -> None:
        await self._session.write(lambda log: log.listen(port))

    async def _stay_listed(self, port: int) -> None:
        # A sender strikes out a listener whose port seemed dead; one that lives enters itself again.
        while True:
            await asyncio.sleep(_LISTED_CHECK_SECONDS)
            try:
                if not await self._session.read(lambda log: log.is_listening(self._session.listener)):
                    await self._list(port)
            except TransportError:
                continue

    async def _take_down_bell(self) -> None:
        if self._listing is not None:
            self._listing.cancel()
            await asyncio.wait([self._listing])
            self._listing = None
        if self._bell is not None:
            self._bell.close()
            self._bell = None


class SqliteAdmin:
    """Topic administration of a SQLite log; see `agentopic.ports.admin.TopicAdmin`.

    The file is opened at the first call, which raises UnreachableError when that fails.
    """

    def __init__(self, options: SqliteTransportOptions) -> None:
        self._session = SqliteSession(options)
        self._opening = asyncio.Lock()
        self._is_open = False

    async def topics(self) -> Mapping[str, int]:
        """Return every topic's name with its number of partitions."""
        await self._open()
        return await self._session.read(lambda log: log.topics())

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that do not exist, all or none.

        Raises:
            ConfigError: Kafka would not take one of the topics.
        """
        await self._open()
        await self._session.write(lambda log: log.create(specs))

    async def offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, OffsetRange]:
        """Return what each partition holds now."""
        await self._open()
        wanted = tuple(partitions)
        return await self._session.read(lambda log: log.offsets(wanted))

    async def committed(self, group: str, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offsets committed under a group's name."""
        await self._open()
        wanted = tuple(partitions)
        return await self._session.read(lambda log: log.committed(group, wanted))

    async def aclose(self) -> None:
        """Close the file. Idempotent."""
        async with self._opening:
            self._is_open = False
            await self._session.aclose()

    async def _open(self) -> None:
        async with self._opening:
            if not self._is_open:
                await self._session.open()
                self._is_open = True
