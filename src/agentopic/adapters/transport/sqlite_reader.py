"""Reading a SQLite log: woken by datagrams, with polling as the fall-back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from agentopic.adapters.transport.cursor import Cursor
from agentopic.adapters.transport.sqlite_session import SqliteSession, SqliteTransportOptions
from agentopic.errors import MissingTopicError, TransportError
from agentopic.ports.transport import Record, TopicPartition


class SqliteReader:
    """Reads one SQLite log; see `agentopic.ports.transport.Reader`."""

    def __init__(
        self,
        session: SqliteSession,
        options: SqliteTransportOptions,
        group: str,
        on_close: Callable[[SqliteReader], None],
    ) -> None:
        self._session = session
        self._options = options
        self._group = group
        self._on_close = on_close
        self._cursor = Cursor()
        self._bell = asyncio.Event()
        self._closed = False

    def reads_any(self, topics: AbstractSet[str]) -> bool:
        """Whether a partition of one of these topics is assigned."""
        return not self._cursor.topics.isdisjoint(topics)

    def ring(self) -> None:
        """Look at the log now."""
        self._bell.set()

    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read exactly these partitions from now on.

        Raises:
            MissingTopicError: a partition does not exist; the assignment stays what it was.
        """
        self._check_open()
        known = await self._session.read(lambda log: log.offsets(positions))
        missing = sorted(set(positions) - set(known))
        if missing:
            raise MissingTopicError(missing[0].topic, f"no partition {missing[0].partition}; its owner creates it")
        self._cursor.assign(positions)
        self._bell.set()

    async def read(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        """Return the next records; empty after the time-out."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while True:
            self._check_open()
            self._bell.clear()
            records = await self._fetch(max_records)
            if records:
                return records
            if loop.time() >= deadline:
                return ()
            await self._wait(min(deadline, loop.time() + self._options.poll_seconds))

    async def _fetch(self, max_records: int) -> Sequence[Record]:
        turn, generation = self._cursor.turn(), self._cursor.generation
        if not turn:
            return ()
        max_bytes = self._options.max_read_bytes
        records = await self._session.read(lambda log: log.fetch(turn, max_records, max_bytes))
        if generation != self._cursor.generation:
            self._bell.set()  # assigned anew meanwhile: look again, from the new positions
            return ()
        self._cursor.advance(records)
        return records

    async def _wait(self, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await self._bell.wait()
        except TimeoutError:
            return

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the next offsets under the group's name."""
        self._check_open()
        stored = dict(offsets)
        await self._session.write(lambda log: log.commit(self._group, stored))

    async def aclose(self) -> None:
        """Stop reading; a `read` under way ends with an error. Idempotent."""
        self._closed = True
        self._bell.set()
        self._on_close(self)

    def _check_open(self) -> None:
        if self._closed:
            raise TransportError("this reader is closed")
