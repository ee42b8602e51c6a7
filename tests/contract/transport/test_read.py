from __future__ import annotations

import asyncio

import pytest

from agentopic.errors import MissingTopicError, OffsetOutOfRangeError, TransportError
from agentopic.ports.transport import OutgoingRecord, TopicPartition, Transport
from agentopic.testing.log_mesh import LogMesh, read_until, send_all


async def _fill(transport: Transport, topic: str, partitions: int, each: int) -> None:
    await send_all(
        transport,
        [
            OutgoingRecord(topic=topic, key=None, value=b"%d" % n, partition=partition)
            for partition in range(partitions)
            for n in range(each)
        ],
    )


async def test_reading_begins_at_the_assigned_offset(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    await _fill(transport, topic, 2, 5)
    reader = await transport.reader(log.group)

    await reader.assign({TopicPartition(topic, 0): 3, TopicPartition(topic, 1): 5})

    assert [(record.partition, record.offset) for record in await read_until(reader, 2)] == [(0, 3), (0, 4)]
    assert list(await reader.read(10, 0.2)) == []


async def test_read_returns_no_more_records_than_asked_for_and_loses_none(log: LogMesh) -> None:
    topic = await log.topic(partitions=3)
    transport = await log.open()
    await _fill(transport, topic, 3, 40)
    reader = await log.reader(transport, topic, 3)

    sizes: list[int] = []
    offsets: dict[int, list[int]] = {}
    while sum(sizes) < 120:
        records = await reader.read(7, 10.0)
        sizes.append(len(records))
        for record in records:
            offsets.setdefault(record.partition, []).append(record.offset)

    assert max(sizes) <= 7
    assert offsets == {partition: list(range(40)) for partition in range(3)}


async def test_partition_with_a_backlog_does_not_starve_another(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    await _fill(transport, topic, 2, 3000)
    reader = await log.reader(transport, topic, 2)

    seen: set[int] = set()
    read = 0
    while len(seen) < 2:
        records = await reader.read(50, 10.0)
        seen.update(record.partition for record in records)
        read += len(records)

    assert read <= 3050


async def test_partitions_that_stay_keep_their_position_and_the_others_are_dropped(log: LogMesh) -> None:
    topic = await log.topic(partitions=3)
    transport = await log.open()
    await _fill(transport, topic, 3, 10)
    reader = await transport.reader(log.group)
    await reader.assign({TopicPartition(topic, 0): 0, TopicPartition(topic, 1): 0})
    first = list(await reader.read(4, 10.0))

    await reader.assign({TopicPartition(topic, 0): 0, TopicPartition(topic, 2): 8})

    expected = 10 - sum(record.partition == 0 for record in first) + 2
    later = await read_until(reader, expected)
    assert {record.partition for record in later} == {0, 2}
    of_first = [record.offset for record in [*first, *later] if record.partition == 0]
    assert of_first == list(range(10))
    assert [record.offset for record in later if record.partition == 2] == [8, 9]


async def test_partition_assigned_again_after_it_left_is_read_from_the_given_offset(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await _fill(transport, topic, 1, 5)
    part = TopicPartition(topic, 0)
    reader = await log.reader(transport, topic, 1)
    await read_until(reader, 5)

    await reader.assign({})
    nothing = list(await reader.read(10, 0.05))
    await reader.assign({part: 2})

    assert nothing == []
    assert [record.offset for record in await read_until(reader, 3)] == [2, 3, 4]


async def test_assignment_reaches_a_read_that_is_waiting(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await _fill(transport, topic, 1, 1)
    reader = await transport.reader(log.group)

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(reader.read(10, 10.0))
        await asyncio.sleep(0)
        await reader.assign({TopicPartition(topic, 0): 0})

    assert len(waiting.result()) == 1


async def test_record_sent_while_a_read_waits_ends_the_wait(log: LogMesh) -> None:
    topic = await log.topic(partitions=4)
    transport = await log.open()
    reader = await log.reader(transport, topic)

    async with asyncio.timeout(9), asyncio.TaskGroup() as group:
        waiting = group.create_task(reader.read(10, 30.0))
        await asyncio.sleep(0)
        await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"v")])

    assert [record.value for record in waiting.result()] == [b"v"]


async def test_reading_with_no_time_at_all_still_makes_progress(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await _fill(transport, topic, 1, 3)
    reader = await log.reader(transport, topic, 1)

    found: list[int] = []
    async with asyncio.timeout(10):
        while len(found) < 3:
            found.extend(record.offset for record in await reader.read(1, 0.0))
            await asyncio.sleep(0.001)

    assert found == [0, 1, 2]


async def test_position_behind_the_end_is_out_of_range(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    await _fill(transport, topic, 2, 2)
    reader = await transport.reader(log.group)
    await reader.assign({TopicPartition(topic, 1): 7})

    with pytest.raises(OffsetOutOfRangeError) as caught:
        await reader.read(10, 10.0)

    assert (caught.value.topic, caught.value.partition, caught.value.offset) == (topic, 1, 7)
    await reader.assign({TopicPartition(topic, 0): 0})
    assert len(await read_until(reader, 2)) == 2


async def test_negative_position_is_out_of_range(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    reader = await transport.reader(log.group)
    await reader.assign({TopicPartition(topic, 0): -1})

    with pytest.raises(OffsetOutOfRangeError):
        await reader.read(10, 10.0)


async def test_position_at_the_end_waits_for_the_next_record(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await _fill(transport, topic, 1, 2)
    reader = await transport.reader(log.group)
    await reader.assign({TopicPartition(topic, 0): 2})

    nothing = list(await reader.read(10, 0.2))
    await send_all(transport, [OutgoingRecord(topic=topic, key=None, value=b"next")])

    assert nothing == []
    assert [record.value for record in await read_until(reader, 1)] == [b"next"]


@pytest.mark.parametrize("partition", [4, -1])
async def test_assigning_what_does_not_exist_is_a_typed_error_and_changes_nothing(log: LogMesh, partition: int) -> None:
    topic = await log.topic(partitions=4)
    transport = await log.open()
    reader = await log.reader(transport, topic)
    part = TopicPartition(topic, 0)

    async with asyncio.timeout(5):
        with pytest.raises(MissingTopicError, match=f"{log.ns}.missing"):
            await reader.assign({part: 0, TopicPartition(f"{log.ns}.missing", 0): 0})
        with pytest.raises(MissingTopicError):
            await reader.assign({TopicPartition(topic, partition): 0})

    await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"v")])
    assert len(await read_until(reader, 1)) == 1


async def test_committed_offsets_are_found_by_group_and_outlive_the_assignment(log: LogMesh) -> None:
    topic = await log.topic(partitions=3)
    transport = await log.open()
    reader = await log.reader(transport, topic, 3)
    parts = [TopicPartition(topic, number) for number in range(3)]

    await reader.commit({parts[0]: 4, parts[1]: 0})
    await reader.commit({parts[0]: 5})
    await reader.assign({})
    await reader.commit({parts[1]: 9})
    await reader.commit({})

    assert await log.admin.committed(log.group, parts) == {parts[0]: 5, parts[1]: 9}
    assert await log.admin.committed(f"{log.ns}.other", parts) == {}


async def test_committed_offsets_do_not_move_the_reading_position(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await _fill(transport, topic, 1, 3)
    reader = await log.reader(transport, topic, 1)

    await reader.commit({TopicPartition(topic, 0): 2})

    again = await log.reader(transport, topic, 1)
    assert len(await read_until(reader, 3)) == 3
    assert len(await read_until(again, 3)) == 3


async def test_closed_reader_ends_a_waiting_read_and_says_so(log: LogMesh) -> None:
    topic = await log.topic()
    transport = await log.open()
    reader = await log.reader(transport, topic)
    waiting = asyncio.create_task(reader.read(10, 30.0))
    await asyncio.sleep(0)

    async with asyncio.timeout(9):
        await reader.aclose()
        await reader.aclose()
        with pytest.raises(TransportError):
            await waiting

    with pytest.raises(TransportError):
        await reader.read(1, 0.0)


async def test_closing_the_transport_closes_its_readers(log: LogMesh) -> None:
    topic = await log.topic()
    transport = await log.open()
    reader = await log.reader(transport, topic)

    await transport.aclose()

    with pytest.raises(TransportError):
        await reader.read(1, 0.0)
