from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from agentopic.ports.transport import OutgoingRecord, Record, TopicPartition
from agentopic.testing.log_mesh import LogMesh, read_until, send_all

T = TypeVar("T")

_EARLY_STEPS = range(12)
_LATE_STEPS = (16, 24, 36, 60, 120, 250, 500)


@pytest.fixture(autouse=True)
def _leaks_are_found_here() -> Iterator[None]:
    """What a test leaves open warns when it is collected, and a warning is an error."""
    yield
    gc.collect()


async def _cancelled_at(step: int, call: Coroutine[Any, Any, T]) -> T | None:
    """Run a call for so many turns of the event loop, then cancel it; its result if it ended before."""
    task = asyncio.ensure_future(call)
    for _ in range(step):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return None if task.cancelled() else task.result()


async def test_cancelled_sends_leave_whole_records_or_none_and_a_working_transport(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    acknowledged: list[bytes] = []
    steps = [*_EARLY_STEPS, *_LATE_STEPS]

    for step in steps:
        value = b"%d" % step
        records = [OutgoingRecord(topic=topic, key=b"k", value=value + b".%d" % n) for n in range(5)]
        if await _cancelled_at(step, transport.send(records)) is not None:
            acknowledged.extend(record.value or b"" for record in records)
    await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"end")])

    values = await _read_to_end(log, topic)
    counts = Counter(values)
    assert values[-1] == b"end"
    assert max(counts.values()) == 1
    assert all(counts[value] == 1 for value in acknowledged)
    for step in steps:
        own = [value for value in values if value.startswith(b"%d." % step)]
        assert own == [b"%d.%d" % (step, n) for n in range(len(own))]


async def _read_to_end(log: LogMesh, topic: str) -> list[bytes]:
    partitions = (await log.admin.topics())[topic]
    parts = [TopicPartition(topic, number) for number in range(partitions)]
    count = sum(reach.end for reach in (await log.admin.offsets(parts)).values())
    reader = await log.reader(await log.open(), topic, partitions)
    return [record.value or b"" for record in await read_until(reader, count)]


async def test_cancelled_send_does_not_touch_one_that_overlaps_it(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()

    for step in _EARLY_STEPS:
        neighbour = asyncio.create_task(
            send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"kept %d" % step)])
        )
        await _cancelled_at(step, transport.send([OutgoingRecord(topic=topic, key=b"k", value=b"x")]))
        await neighbour

    values = await _read_to_end(log, topic)
    assert [value for value in values if value != b"x"] == [b"kept %d" % step for step in _EARLY_STEPS]


async def test_cancelled_reads_lose_nothing_and_repeat_nothing(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    reader = await log.reader(transport, topic, 2)
    read: list[Record] = []
    sent = 0

    for step in [*_EARLY_STEPS, *_LATE_STEPS]:
        records = [OutgoingRecord(topic=topic, key=None, value=b"", partition=n % 2) for n in range(4)]
        sent += len(await send_all(transport, records))
        read.extend(await _cancelled_at(step, reader.read(3, 10.0)) or ())

    read.extend(await read_until(reader, sent - len(read)))
    for partition in range(2):
        offsets = [record.offset for record in read if record.partition == partition]
        assert offsets == list(range(sent // 2))


async def test_cancelled_commits_leave_the_old_or_the_new_offset(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    reader = await log.reader(transport, topic, 1)
    part = TopicPartition(topic, 0)
    await reader.commit({part: 1})

    for step in [*_EARLY_STEPS, *_LATE_STEPS]:
        await _cancelled_at(step, reader.commit({part: 2}))
        assert (await log.admin.committed(log.group, [part]))[part] in {1, 2}

    await reader.commit({part: 3})
    assert await log.admin.committed(log.group, [part]) == {part: 3}


async def test_cancelled_assignments_leave_a_working_reader(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    await send_all(transport, [OutgoingRecord(topic=topic, key=None, value=b"", partition=n) for n in range(2)])
    reader = await transport.reader(log.group)

    for step in _EARLY_STEPS:
        await _cancelled_at(step, reader.assign({TopicPartition(topic, step % 2): 0}))

    await reader.assign({})
    await reader.assign({TopicPartition(topic, 0): 0, TopicPartition(topic, 1): 0})
    assert len(await read_until(reader, 2)) == 2


@pytest.mark.parametrize("step", [0, 1, 2, 3, 5, 10, 50, 500])
async def test_cancelled_start_leaves_nothing_open(log: LogMesh, step: int) -> None:
    transport = log.unstarted()

    await _cancelled_at(step, transport.start())

    await transport.aclose()


@pytest.mark.parametrize("step", [0, 1, 2, 3, 5, 10, 50, 500])
async def test_cancelled_opening_of_a_reader_leaves_nothing_open(log: LogMesh, step: int) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await send_all(transport, [OutgoingRecord(topic=topic, key=None, value=b"")])

    await _cancelled_at(step, transport.reader(log.group))

    assert len(await read_until(await log.reader(transport, topic, 1), 1)) == 1
