"""The log of the in-memory transport: partitions are lists, offsets are indexes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from agentopic.adapters.transport.admission import admit, check_spec, unknown_topic
from agentopic.errors import MissingTopicError, OffsetOutOfRangeError, RecordRefusedError, TransportError
from agentopic.ports.admin import OffsetRange, TopicSpec
from agentopic.ports.transport import OutgoingRecord, Record, Sent, TopicPartition


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class MemoryLog:
    """What several `MemoryTransport`s share to be one mesh; belongs to one event loop.

    Deterministic: the same calls in the same order give the same log (records without a key take partitions
    in turn). `now_ms` stamps records.
    """

    def __init__(self, *, now_ms: Callable[[], int] = _wall_ms) -> None:
        self._now_ms = now_ms
        self._topics: dict[str, list[list[Record]]] = {}
        self._committed: dict[tuple[str, TopicPartition], int] = {}
        self._bells: dict[object, Callable[[], None]] = {}
        self._next_partition = 0

    def topics(self) -> Mapping[str, int]:
        """Return every topic with its number of partitions."""
        return {name: len(partitions) for name, partitions in self._topics.items()}

    def create(self, specs: Sequence[TopicSpec]) -> None:
        """Create what does not exist.

        Raises:
            ConfigError: Kafka would not take the topic; then none of `specs` is created.
        """
        for spec in specs:
            check_spec(spec)
        for spec in specs:
            self._topics.setdefault(spec.name, [[] for _ in range(spec.partitions)])

    def append(self, records: Sequence[OutgoingRecord], max_record_bytes: int) -> Sequence[Sent | TransportError]:
        """Append records and ring every bell."""
        results = [self._append_one(record, max_record_bytes) for record in records]
        for ring in tuple(self._bells.values()):
            ring()
        return results

    def _append_one(self, record: OutgoingRecord, max_bytes: int) -> Sent | RecordRefusedError:
        partitions = self._topics.get(record.topic)
        if partitions is None:
            return unknown_topic(record.topic)
        place = admit(record, len(partitions), max_bytes, self._any_partition)
        if isinstance(place, RecordRefusedError):
            return place
        offset = len(partitions[place])
        stored = Record(
            topic=record.topic,
            partition=place,
            offset=offset,
            timestamp_ms=self._now_ms(),
            key=record.key,
            value=record.value,
            headers=record.headers,
        )
        partitions[place].append(stored)
        return Sent(place, offset)

    def _any_partition(self, partitions: int) -> int:
        self._next_partition += 1
        return self._next_partition % partitions

    def partition(self, part: TopicPartition) -> Sequence[Record]:
        """Return what a partition holds.

        Raises:
            MissingTopicError: there is no such topic or partition.
        """
        partitions = self._topics.get(part.topic, [])
        if not 0 <= part.partition < len(partitions):
            raise MissingTopicError(part.topic, f"partition {part.partition} was asked for; its owner creates it")
        return partitions[part.partition]

    def fetch(self, turn: Sequence[tuple[TopicPartition, int]], max_records: int) -> Sequence[Record]:
        """Return up to `max_records` records from the given positions, partition by partition.

        Raises:
            OffsetOutOfRangeError: a position lies outside what its partition holds.
        """
        for part, offset in turn:
            if not 0 <= offset <= len(self.partition(part)):
                raise OffsetOutOfRangeError(part.topic, part.partition, offset)
        found: list[Record] = []
        for part, offset in turn:
            found.extend(self.partition(part)[offset : offset + max_records - len(found)])
        return found

    def offsets(self, part: TopicPartition) -> OffsetRange | None:
        """Return how far a partition reaches, None if it does not exist."""
        partitions = self._topics.get(part.topic, [])
        return OffsetRange(0, len(partitions[part.partition])) if 0 <= part.partition < len(partitions) else None

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the next offsets of a group."""
        self._committed.update({(group, part): offset for part, offset in offsets.items()})

    def committed(self, group: str, part: TopicPartition) -> int | None:
        """Return a group's next offset, None if it has none."""
        return self._committed.get((group, part))

    def subscribe(self, owner: object, ring: Callable[[], None]) -> None:
        """Have `ring` called after each append, until `unsubscribe`."""
        self._bells[owner] = ring

    def unsubscribe(self, owner: object) -> None:
        """Stop calling an owner's bell."""
        self._bells.pop(owner, None)
