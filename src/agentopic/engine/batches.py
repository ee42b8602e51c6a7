"""Batches: storing what was read of some partitions, halved down to the record that the database refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from agentopic.errors import ValueRefusedError
from agentopic.ports.journal import MarkAdvance
from agentopic.ports.transport import Record, TopicPartition

Marks: TypeAlias = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch."""

    marks: Marks
    """The watermarks as they stand now, of the partitions that were stored."""
    stale: frozenset[TopicPartition]
    """Partitions of which nothing was stored: their mark is elsewhere, read it again."""
    deliveries: int
    is_ahead: bool = False
    """Whether so much is stored and not yet begun that reading on may take its time."""


class Store(Protocol):
    """Stores records of one group's partitions in order."""

    async def store(self, records: Sequence[Record], marks: Marks) -> Stored:
        """Store records in one transaction with the watermarks behind them.

        Raises:
            JournalUnavailableError: the outcome is unknown; the watermarks tell.
        """
        ...


async def store_halved(
    records: Sequence[Record],
    marks: Marks,
    store: Callable[[Sequence[Record], Marks], Awaitable[Stored]],
    bury: Callable[[Record, Marks, ValueRefusedError], Awaitable[Stored]],
) -> Stored:
    """Store records; the one the database refuses is found by halving, buried alone, and the rest goes on."""
    try:
        return await store(records, marks)
    except ValueRefusedError as exc:
        if len(records) == 1:
            return await bury(records[0], marks, exc)
    half = len(records) // 2
    first = await store_halved(records[:half], marks, store, bury)
    # Partitions that moved on are elsewhere; the others' records have been read and must not be passed over.
    rest = [each for each in records[half:] if TopicPartition(each.topic, each.partition) not in first.stale]
    if not rest:
        return first
    second = await store_halved(rest, {**marks, **first.marks}, store, bury)
    return Stored(
        {**first.marks, **second.marks},
        first.stale | second.stale,
        first.deliveries + second.deliveries,
        is_ahead=second.is_ahead,
    )


def advances(records: Sequence[Record], marks: Marks) -> Sequence[MarkAdvance]:
    """Return the watermarks behind these records, each from the value this process knows."""
    following: dict[TopicPartition, int] = {}
    for record in records:
        following[TopicPartition(record.topic, record.partition)] = record.offset + 1
    return [
        MarkAdvance(partition=partition, known=marks[partition], next=position)
        for partition, position in following.items()
    ]


def stored_marks(advanced: Sequence[MarkAdvance], stale: frozenset[TopicPartition]) -> Marks:
    """Return the watermarks that a call has advanced."""
    return {each.partition: each.next for each in advanced if each.partition not in stale}
