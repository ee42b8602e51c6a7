"""All writes of one process to the log of a SQLite file; used from one thread."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from agentopic.adapters.transport.admission import check_spec
from agentopic.adapters.transport.sqlite_append import Append
from agentopic.adapters.transport.sqlite_store import WritableStore
from agentopic.adapters.transport.sqlite_wake import Ringer
from agentopic.errors import TransportError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord, Sent, TopicPartition


class LogWriter:
    """Appends, creates topics, stores committed offsets, keeps the list of listeners."""

    def __init__(self, path: Path, max_record_bytes: int, listener: str) -> None:
        self._store = WritableStore(path)
        self._max_bytes = max_record_bytes
        self._listener = listener
        self._ringer = Ringer()
        self._appended = time.time_ns()

    def append(self, records: Sequence[OutgoingRecord]) -> Sequence[Sent | TransportError]:
        """Append in one transaction, then wake the readers of other processes."""
        self._appended += 1
        with self._store.transaction() as connection:
            append = Append(connection=connection, max_bytes=self._max_bytes, first_partition=self._appended)
            results = append.run(records)
            gone = [(listener,) for listener in self._ringer.take_gone()]
            connection.executemany("DELETE FROM log_listener WHERE id = ?", gone)
            listeners = connection.execute(
                "SELECT id, port FROM log_listener WHERE id <> ?", (self._listener,)
            ).fetchall()
        self._ringer.ring(listeners)
        return results

    def create(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that do not exist."""
        for spec in specs:
            check_spec(spec)
        with self._store.transaction() as connection:
            for spec in specs:
                row = connection.execute(
                    "INSERT INTO log_topic (name, partitions) VALUES (?, ?) ON CONFLICT (name) DO NOTHING RETURNING id",
                    (spec.name, spec.partitions),
                ).fetchone()
                parts = [(row[0], number) for number in range(spec.partitions)] if row else []
                connection.executemany("INSERT INTO log_partition VALUES (?, ?, 0, 0)", parts)

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the next offsets of a group."""
        rows = [(group, part.topic, part.partition, offset) for part, offset in offsets.items()]
        with self._store.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO log_committed VALUES (?, ?, ?, ?)", rows)

    def listen(self, port: int) -> None:
        """Enter this process's port in the list of listeners."""
        with self._store.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO log_listener VALUES (?, ?)", (self._listener, port))

    def close(self) -> None:
        """Leave the list of listeners and close the file."""
        try:
            with self._store.transaction() as connection:
                connection.execute("DELETE FROM log_listener WHERE id = ?", (self._listener,))
        finally:
            self._ringer.close()
            self._store.close()
