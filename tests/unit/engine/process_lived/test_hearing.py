"""Hearing goes on: after failures of the broker, and where records were deleted before they were heard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from agentopic.adapters.clock import SystemClock
from agentopic.adapters.transport.memory import MemoryAdmin, MemoryReader, MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.engine.mesh import Mesh
from agentopic.engine.options import EngineOptions
from agentopic.engine.process_lived.hearing import Hearing, Wanted
from agentopic.engine.topics import TopicCatalog
from agentopic.errors import OffsetOutOfRangeError, TransportError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord, Record

TOPIC = "town.topic.news"


class FailingTransport(MemoryTransport):
    """Its readers fail with these errors, one each read, before they read."""

    def __init__(self, log: MemoryLog, errors: list[TransportError]) -> None:
        super().__init__(log)
        self.errors = errors

    async def reader(self, group: str) -> MemoryReader:
        reader = await super().reader(group)
        read, errors = reader.read, self.errors

        async def failing(max_records: int, timeout_seconds: float) -> Sequence[Record]:
            if errors:
                raise errors.pop(0)
            return await read(max_records, timeout_seconds)

        reader.read = failing  # pyright: ignore[reportAttributeAccessIssue]
        return reader


async def heard(errors: list[TransportError], *, before: int) -> list[int]:
    """Return the offsets that are heard of five records, when so many come before the reader has failed."""
    log, offsets = MemoryLog(), list[int]()
    log.create([TopicSpec(name=TOPIC, partitions=1)])
    transport = FailingTransport(log, errors)
    mesh = Mesh(transport=transport, admin=MemoryAdmin(log), clock=SystemClock())
    hearing = Hearing(
        mesh,
        TopicCatalog(mesh.admin, EngineOptions(namespace="town")),
        group=lambda: "ears",
        hear=lambda record: offsets.append(record.offset),
        is_full=lambda: False,
    )
    await hearing.listen(Wanted(frozenset({TOPIC})))
    records: list[Any] = [OutgoingRecord(topic=TOPIC, key=None, value=b"x") for _ in range(5)]
    await transport.send(records[:before])
    async with asyncio.timeout(10):
        while errors:  # noqa: ASYNC110 - what the reader does
            await asyncio.sleep(0.01)
        await transport.send(records[before:])
        while hearing.unread(await hearing.reaches()):  # noqa: ASYNC110 - what the reader does
            await asyncio.sleep(0.01)
    await hearing.aclose()
    return offsets


async def test_a_broker_that_fails_for_a_moment_costs_nothing():
    assert await heard([TransportError("away"), TransportError("still away")], before=3) == [0, 1, 2, 3, 4]


async def test_after_deleted_records_the_first_one_there_is_heard():
    assert await heard([OffsetOutOfRangeError(TOPIC, 0, 0)], before=2) == [0, 1, 2, 3, 4]
