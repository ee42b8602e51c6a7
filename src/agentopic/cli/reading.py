"""Reading a stretch of the log: from where, how far, how many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentopic.cli.output import note
from agentopic.cli.session import require_topics
from agentopic.errors import MissingTopicError
from agentopic.ports.transport import Record, TopicPartition

if TYPE_CHECKING:
    from agentopic.engine.mesh import Mesh
    from agentopic.ports.admin import OffsetRange

# The name under which nothing is ever committed: looking leaves no trace.
_GROUP = "agentopic-tail"
_BATCH = 500
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which part of the log is read."""

    from_beginning: bool = False
    follow: bool = True
    limit: int | None = None
    wait_seconds: float = 0.0
    """How long a topic that does not exist yet is waited for."""


async def read_span(mesh: Mesh, names: Sequence[str], span: Span) -> AsyncGenerator[Record]:
    """Yield the records of a span, in offset order within a partition; without `follow` to the present end.

    Raises:
        MissingTopicError: a topic does not exist.
    """
    ranges = await _ranges(mesh, names, span.wait_seconds)
    begin = {part: found.beginning if span.from_beginning else found.end for part, found in ranges.items()}
    ends = None if span.follow else {part: found.end for part, found in ranges.items()}
    left = span.limit
    reader = await mesh.transport.reader(_GROUP)
    try:
        await reader.assign(begin)
        position = dict(begin)
        while not _reached(position, ends):
            for record in await reader.read(_BATCH, _POLL_SECONDS):
                part = TopicPartition(record.topic, record.partition)
                position[part] = record.offset + 1
                if ends is not None and record.offset >= ends[part]:
                    continue
                yield record
                left = None if left is None else left - 1
                if left == 0:
                    return
    finally:
        await reader.aclose()


async def _ranges(mesh: Mesh, names: Sequence[str], wait_seconds: float) -> Mapping[TopicPartition, OffsetRange]:
    partitions = await _partitions(mesh, names, wait_seconds)
    return await mesh.admin.offsets(
        TopicPartition(name, number) for name, count in partitions.items() for number in range(count)
    )


async def _partitions(mesh: Mesh, names: Sequence[str], wait_seconds: float) -> Mapping[str, int]:
    deadline = mesh.clock.monotonic() + wait_seconds
    noted = False
    while True:
        try:
            return await require_topics(mesh, names)
        except MissingTopicError as exc:
            if mesh.clock.monotonic() >= deadline:
                raise
            if not noted:
                note(f"waiting for topic {exc.kafka_topic}")
                noted = True
        await asyncio.sleep(_POLL_SECONDS)


def _reached(position: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int] | None) -> bool:
    return ends is not None and all(position[part] >= end for part, end in ends.items())
