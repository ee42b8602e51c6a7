"""The read positions of one reader: which partitions it reads, from where, and in which turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agentopic.ports.transport import Record, TopicPartition


class Cursor:
    """Positions by partition; `generation` changes with every change of theirs."""

    def __init__(self) -> None:
        self.generation = 0
        self.topics: frozenset[str] = frozenset()
        """The topics of the assigned partitions."""
        self._positions: dict[TopicPartition, int] = {}
        self._first = 0

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """The offset each assigned partition is read from next."""
        return self._positions

    def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read exactly these from now on; partitions that stay keep their position."""
        self._positions = {part: self._positions.get(part, offset) for part, offset in positions.items()}
        self.topics = frozenset(part.topic for part in positions)
        self.generation += 1

    def turn(self) -> Sequence[tuple[TopicPartition, int]]:
        """Return the positions in reading order, another partition first each time, so that none starves."""
        parts = list(self._positions.items())
        if not parts:
            return parts
        self._first = (self._first + 1) % len(parts)
        return parts[self._first :] + parts[: self._first]

    def advance(self, records: Iterable[Record]) -> None:
        """Move behind the given records."""
        self.generation += 1
        for record in records:
            self._positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
