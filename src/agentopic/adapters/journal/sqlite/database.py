"""One connection to the journal's file: its own thread, one transaction per call, errors in our own words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agentopic.adapters.journal.sqlite.schema import bring_up
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.adapters.transport.sqlite_gate import Gate
from agentopic.adapters.transport.sqlite_thread import CallThread
from agentopic.errors import ConfigError, JournalUnavailableError, UnreachableError, ValueRefusedError

T = TypeVar("T")

_BUSY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteOptions:
    """Where the journal lies. The file may be shared with a SQLite transport.

    `now` is the journal's clock in seconds since 1970, the same for all processes of the machine.
    """

    path: Path
    close_timeout_seconds: float = 5.0
    now: Callable[[], float] = time.time


class Database:
    """Runs each call in one transaction, one after another, in a thread of its own.

    A call that is cancelled before its turn is left out; one that has begun ends, whoever waits for it.
    """

    def __init__(self, options: SqliteOptions) -> None:
        self._options = options
        self._thread: CallThread | None = None
        self._gate: Gate | None = None
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file, making it and its directories when they are not there. Idempotent.

        Raises:
            UnreachableError: the file cannot be opened.
            ConfigError: it is no database, or its schema is newer than this program.
        """
        if self._thread is not None:
            return
        self._thread = CallThread("sqlite-journal")
        try:
            await self._thread.run(self._connect)
        except sqlite3.OperationalError as exc:
            raise UnreachableError(f"the SQLite file {self._options.path} cannot be opened: {exc}") from exc
        except sqlite3.DatabaseError as exc:
            raise ConfigError(f"{self._options.path} is not a usable SQLite file: {exc}") from exc
        except OSError as exc:
            raise UnreachableError(f"the SQLite file {self._options.path} cannot be opened: {exc}") from exc
        finally:
            if self._connection is None:
                await self.aclose()

    def _connect(self) -> None:
        path = self._options.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            gate = Gate(path)
            undo.callback(gate.close)
            with gate.held():
                connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
                undo.callback(connection.close)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                _transact(connection, "IMMEDIATE", bring_up)
            undo.pop_all()
        self._gate, self._connection = gate, connection

    async def write(self, call: Callable[[Transaction], T]) -> T:
        """Run a call that may write; the gate is held from before its first read to its commit.

        Raises:
            ValueRefusedError: SQLite refuses a value; nothing is stored.
            JournalUnavailableError: SQLite or the disk fails, or the journal is not open.
        """
        return await self._run(lambda: self._write(call))

    async def read(self, call: Callable[[Transaction], T]) -> T:
        """Run a call that only reads, on one snapshot; errors as with `write`."""
        return await self._run(lambda: _transact(self._open_connection(), "DEFERRED", self._bound(call)))

    async def _run(self, call: Callable[[], T]) -> T:
        if self._thread is None:
            raise self._closed()
        try:
            return await self._thread.run(call)
        except (sqlite3.DataError, OverflowError, UnicodeError) as exc:
            raise ValueRefusedError(f"SQLite refuses a value: {exc}") from exc
        except (sqlite3.Error, OSError) as exc:
            raise JournalUnavailableError(f"the SQLite journal {self._options.path} failed: {exc}") from exc

    def _write(self, call: Callable[[Transaction], T]) -> T:
        connection = self._open_connection()
        if self._gate is None:
            raise self._closed()
        with self._gate.held():
            return _transact(connection, "IMMEDIATE", self._bound(call))

    def _bound(self, call: Callable[[Transaction], T]) -> Callable[[sqlite3.Connection], T]:
        def run(connection: sqlite3.Connection) -> T:
            transaction = Transaction(connection, self._options.now())
            result = call(transaction)
            transaction.store_numbers()
            return result

        return run

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise self._closed()
        return self._connection

    def _closed(self) -> JournalUnavailableError:
        return JournalUnavailableError(f"the SQLite journal {self._options.path} is not open")

    async def aclose(self) -> None:
        """End the calls given so far, close the file and end the thread, in bounded time. Idempotent."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.post(self._disconnect)
        await thread.aclose(self._options.close_timeout_seconds)

    def _disconnect(self) -> None:
        if self._connection is not None and self._gate is not None:
            with self._gate.held():
                self._connection.close()
            self._gate.close()
        self._connection = self._gate = None


def _transact(connection: sqlite3.Connection, mode: str, call: Callable[[sqlite3.Connection], T]) -> T:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute(f"BEGIN {mode}")
    try:
        result = call(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return result
