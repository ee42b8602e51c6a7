"""All reads of one process from the log of a SQLite file; used from one thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from agentopic.adapters.transport.sqlite_headers import unpack_headers
from agentopic.adapters.transport.sqlite_store import open_connection
from agentopic.errors import OffsetOutOfRangeError
from agentopic.ports.admin import OffsetRange
from agentopic.ports.transport import Record, TopicPartition

Turn = Sequence[tuple[TopicPartition, int]]

_REACH = """SELECT topic, partition, first, next FROM log_partition WHERE topic IN (
    SELECT id FROM log_topic WHERE name = ?)"""
_RECORDS = """SELECT pos, stamp, key, value, headers FROM log_record
    WHERE topic = ? AND partition = ? AND pos >= ? ORDER BY pos LIMIT ?"""


class LogFetcher:
    """Reads without ever waiting for a writer (WAL)."""

    def __init__(self, path: Path) -> None:
        self._connection = open_connection(path)

    def fetch(self, turn: Turn, max_records: int, max_bytes: int) -> Sequence[Record]:
        """Return records from the given positions, partition by partition, at least one if there is any.

        Raises:
            OffsetOutOfRangeError: a position lies outside what its partition holds.
        """
        self._connection.execute("BEGIN")
        try:
            reach = self._reach({part.topic for part, _ in turn})
            behind = [(part, offset, reach[part][0]) for part, offset in turn if _has_more(part, offset, reach)]
            return self._read(behind, max_records, max_bytes)
        finally:
            self._connection.execute("COMMIT")

    def _reach(self, topics: Iterable[str]) -> Mapping[TopicPartition, tuple[int, OffsetRange]]:
        return {
            TopicPartition(topic, partition): (number, OffsetRange(first, end))
            for topic in topics
            for number, partition, first, end in self._connection.execute(_REACH, (topic,))
        }

    def _read(
        self, behind: Sequence[tuple[TopicPartition, int, int]], max_records: int, max_bytes: int
    ) -> Sequence[Record]:
        found: list[Record] = []
        for part, offset, topic in behind:
            rows = self._connection.execute(_RECORDS, (topic, part.partition, offset, max_records - len(found)))
            for row in rows:
                found.append(_record(part, row))
                max_bytes -= len(row[2] or b"") + len(row[3] or b"")
                if max_bytes <= 0:
                    return found
        return found

    def topics(self) -> Mapping[str, int]:
        """Return every topic with its number of partitions."""
        return dict(self._connection.execute("SELECT name, partitions FROM log_topic").fetchall())

    def offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, OffsetRange]:
        """Return how far those of the partitions reach that exist."""
        wanted = set(partitions)
        reach = self._reach({part.topic for part in wanted})
        return {part: reach[part][1] for part in wanted if part in reach}

    def committed(self, group: str, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offsets a group has committed, of the partitions asked for."""
        query = "SELECT topic, partition, next FROM log_committed WHERE name = ?"
        stored = {TopicPartition(row[0], row[1]): row[2] for row in self._connection.execute(query, (group,))}
        return {part: stored[part] for part in partitions if part in stored}

    def is_listening(self, listener: str) -> bool:
        """Whether a listener is still in the list."""
        query = "SELECT 1 FROM log_listener WHERE id = ?"
        return self._connection.execute(query, (listener,)).fetchone() is not None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _has_more(part: TopicPartition, offset: int, reach: Mapping[TopicPartition, tuple[int, OffsetRange]]) -> bool:
    found = reach.get(part)
    if found is None or not found[1].beginning <= offset <= found[1].end:
        raise OffsetOutOfRangeError(part.topic, part.partition, offset)
    return offset < found[1].end


def _record(part: TopicPartition, row: tuple[int, int, bytes | None, bytes | None, bytes]) -> Record:
    offset, stamp, key, value, headers = row
    return Record(
        topic=part.topic,
        partition=part.partition,
        offset=offset,
        timestamp_ms=stamp,
        key=key,
        value=value,
        headers=unpack_headers(headers) if headers else (),
    )
