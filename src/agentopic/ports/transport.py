"""The transport port: append records to partitioned topics and read them back by manual assignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from agentopic.core._immutable import immutable
from agentopic.errors import TransportError

Headers = tuple[tuple[str, bytes], ...]


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@immutable
class Record:
    """One record as it lies in the log; nothing in it has been interpreted."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@immutable
class OutgoingRecord:
    """One record to append. Without `partition` the key decides (Kafka's murmur2), without a key any partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


class Sent(NamedTuple):
    """Where an acknowledged record lies."""

    partition: int
    offset: int


class Reader(Protocol):
    """Reads assigned partitions; no group protocol, no position of its own beyond the last read."""

    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read exactly these partitions from now on; newly named ones from the given offset.

        Partitions that stay keep their position; what was fetched of partitions that left is dropped.
        """
        ...

    async def read(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        """Return the next records, in offset order within a partition; empty after the time-out.

        Cancelling it loses nothing: records not returned are returned by a later call.

        Raises:
            OffsetOutOfRangeError: an assigned position lies outside what the log holds.
            TransportError: the broker cannot be reached; a later call may succeed.
        """
        ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the next offsets under the group's name, for lag tools; nothing here ever reads them back."""
        ...

    async def aclose(self) -> None:
        """Stop reading; idempotent."""
        ...


class Transport(Protocol):
    """A durable, partitioned log."""

    async def start(self) -> None:
        """Connect.

        Raises:
            UnreachableError: no broker answers within the start-up time.
        """
        ...

    async def send(self, records: Sequence[OutgoingRecord]) -> Sequence[Sent | TransportError]:
        """Append records and return, in order, where each lies once the log has it durably, or its error.

        Per (topic, partition) records are appended in the order given: a record is handed over only after the
        one before it is acknowledged, or in the same atomic batch. When one fails with an unknown outcome, those
        behind it in the same partition are not sent and fail with the same error. `RecordRefusedError` is final
        for that record alone. Calls may overlap; between two calls there is no order. Cancelling it leaves the
        outcome unknown, never half a record.
        """
        ...

    async def reader(self, group: str) -> Reader:
        """Open a reader that commits under the given consumer group's name."""
        ...

    async def aclose(self) -> None:
        """Disconnect; idempotent; bounded in time."""
        ...
