"""Appending to the log of a SQLite file, inside a transaction that the caller holds."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from agentopic.adapters.transport.admission import admit, unknown_topic
from agentopic.adapters.transport.sqlite_headers import pack_headers
from agentopic.errors import RecordRefusedError, TransportError
from agentopic.ports.transport import OutgoingRecord, Sent

_Row = tuple[int, int, int, int, bytes | None, bytes | None, bytes]


@dataclass(slots=True, kw_only=True)
class Append:
    """One append of many records; `rows` and `ends` gather what is written at the end."""

    connection: sqlite3.Connection
    max_bytes: int
    first_partition: int
    topics: dict[str, tuple[int, int] | None] = field(default_factory=dict[str, "tuple[int, int] | None"])
    ends: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    rows: list[_Row] = field(default_factory=list[_Row])

    def run(self, records: Sequence[OutgoingRecord]) -> Sequence[Sent | TransportError]:
        """Write the records and return, in order, where each lies or why it was refused."""
        stamp = time.time_ns() // 1_000_000
        results = [self._place(record, stamp) for record in records]
        self.connection.executemany("INSERT INTO log_record VALUES (?, ?, ?, ?, ?, ?, ?)", self.rows)
        self.connection.executemany(
            "UPDATE log_partition SET next = ? WHERE topic = ? AND partition = ?",
            [(end, *place) for place, end in self.ends.items()],
        )
        return results

    def _place(self, record: OutgoingRecord, stamp: int) -> Sent | RecordRefusedError:
        topic = self._topic(record.topic)
        if topic is None:
            return unknown_topic(record.topic)
        number, partitions = topic
        partition = admit(record, partitions, self.max_bytes, self._any_partition)
        if isinstance(partition, RecordRefusedError):
            return partition
        offset = self._next(number, partition)
        headers = pack_headers(record.headers)
        self.rows.append((number, partition, offset, stamp, record.key, record.value, headers))
        return Sent(partition, offset)

    def _topic(self, name: str) -> tuple[int, int] | None:
        if name not in self.topics:
            found = self.connection.execute("SELECT id, partitions FROM log_topic WHERE name = ?", (name,))
            self.topics[name] = found.fetchone()
        return self.topics[name]

    def _next(self, topic: int, partition: int) -> int:
        offset = self.ends.get((topic, partition))
        if offset is None:
            query = "SELECT next FROM log_partition WHERE topic = ? AND partition = ?"
            (offset,) = self.connection.execute(query, (topic, partition)).fetchone()
        self.ends[topic, partition] = offset + 1
        return offset

    def _any_partition(self, partitions: int) -> int:
        self.first_partition += 1
        return self.first_partition % partitions
