"""One program's end of a SQLite log: a thread that writes, a thread that reads, errors in our own words."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agentopic.adapters.transport.admission import DEFAULT_RECORD_BYTES
from agentopic.adapters.transport.sqlite_fetch import LogFetcher
from agentopic.adapters.transport.sqlite_thread import CallThread
from agentopic.adapters.transport.sqlite_writer import LogWriter
from agentopic.errors import TransportError, UnreachableError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteTransportOptions:
    """Where the log lies and how it is read. The file may be shared with a SQLite journal."""

    path: Path
    max_record_bytes: int = DEFAULT_RECORD_BYTES
    max_read_bytes: int = 10 * 1_048_576
    poll_seconds: float = 0.2
    """How long a wake that got lost delays a reader."""
    close_timeout_seconds: float = 5.0


class SqliteSession:
    """Both threads with their connections. Reading never waits for writing."""

    def __init__(self, options: SqliteTransportOptions) -> None:
        self._options = options
        self.listener = uuid.uuid4().hex
        self._threads: tuple[CallThread, CallThread] | None = None
        self._writer: LogWriter | None = None
        self._fetcher: LogFetcher | None = None

    async def open(self) -> None:
        """Open the file, making it and its directory when they are not there.

        Raises:
            UnreachableError: the file cannot be opened or is no database.
        """
        if self._threads is not None:
            return
        self._threads = (CallThread("sqlite-log-write"), CallThread("sqlite-log-read"))
        try:
            await self._threads[0].run(self._open_writer)
            await self._threads[1].run(self._open_fetcher)
        except (sqlite3.Error, OSError) as error:
            await self.aclose()
            message = f"the SQLite file {self._options.path} cannot be opened: {error}"
            raise UnreachableError(message) from error

    def _open_writer(self) -> None:
        self._writer = LogWriter(self._options.path, self._options.max_record_bytes, self.listener)

    def _open_fetcher(self) -> None:
        self._fetcher = LogFetcher(self._options.path)

    async def write(self, call: Callable[[LogWriter], T]) -> T:
        """Run a call in the writing thread.

        Raises:
            TransportError: the session is closed, or SQLite or the disk refuses.
        """
        writer = self._writer
        if self._threads is None or writer is None:
            raise _closed(self._options.path)
        try:
            return await self._threads[0].run(lambda: call(writer))
        except (sqlite3.Error, OSError) as error:
            raise _failed(self._options.path, error) from error

    async def read(self, call: Callable[[LogFetcher], T]) -> T:
        """Run a call in the reading thread; errors as with `write`."""
        fetcher = self._fetcher
        if self._threads is None or fetcher is None:
            raise _closed(self._options.path)
        try:
            return await self._threads[1].run(lambda: call(fetcher))
        except (sqlite3.Error, OSError) as error:
            raise _failed(self._options.path, error) from error

    async def aclose(self) -> None:
        """Close both connections and end both threads, in bounded time. Idempotent."""
        threads, self._threads = self._threads, None
        if threads is None:
            return
        threads[0].post(self._close_writer)
        threads[1].post(self._close_fetcher)
        for thread in threads:
            await thread.aclose(self._options.close_timeout_seconds)

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def _close_fetcher(self) -> None:
        if self._fetcher is not None:
            self._fetcher.close()
        self._fetcher = None


def _closed(path: Path) -> TransportError:
    return TransportError(f"the SQLite log {path} is not open")


def _failed(path: Path, error: Exception) -> TransportError:
    return TransportError(f"the SQLite log {path} failed: {error}")
