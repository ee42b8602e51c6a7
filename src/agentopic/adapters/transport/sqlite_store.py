"""The SQLite file of a log: its tables, and how a connection to it is opened and written through."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agentopic.adapters.transport.sqlite_gate import Gate

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS log_topic (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS log_partition (
        topic INTEGER NOT NULL, partition INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (topic, partition)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS log_record (
        topic INTEGER NOT NULL, partition INTEGER NOT NULL, pos INTEGER NOT NULL, stamp INTEGER NOT NULL,
        key BLOB, value BLOB, headers BLOB NOT NULL
    )""",
    "CREATE UNIQUE INDEX IF NOT EXISTS log_record_place ON log_record (topic, partition, pos)",
    """CREATE TABLE IF NOT EXISTS log_committed (
        name TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (name, topic, partition)
    ) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS log_listener (id TEXT PRIMARY KEY, port INTEGER NOT NULL) WITHOUT ROWID",
)
_BUSY_SECONDS = 10.0


def open_connection(path: Path) -> sqlite3.Connection:
    """Open the file for one thread, in autocommit: transactions are begun by hand."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    return connection


class WritableStore:
    """A connection whose every write passes the gate. Belongs to the thread that made it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            self._gate = Gate(path)
            undo.callback(self._gate.close)
            self._connection = open_connection(path)
            undo.callback(self._connection.close)
            with self._gate.held():
                self._connection.execute("PRAGMA journal_mode=WAL")
            with self.transaction() as connection:
                for statement in _SCHEMA:
                    connection.execute(statement)
            undo.pop_all()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Write everything done inside, or, on an error, nothing."""
        with self._gate.held():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection and the gate."""
        self._connection.close()
        self._gate.close()
