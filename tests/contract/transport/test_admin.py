from __future__ import annotations

import asyncio

import pytest

from agentopic.errors import ConfigError
from agentopic.ports.admin import OffsetRange, TopicSpec
from agentopic.ports.transport import OutgoingRecord, TopicPartition
from agentopic.testing.log_mesh import LogMesh, send_all


async def test_created_topics_are_visible_on_return_to_every_admin(log: LogMesh) -> None:
    specs = [TopicSpec(name=f"{log.ns}.{n}", partitions=n + 1) for n in range(3)]

    await log.admin.create(specs)

    topics = await log.another_admin().topics()
    assert {name: count for name, count in topics.items() if name.startswith(log.ns)} == {
        spec.name: spec.partitions for spec in specs
    }


async def test_creating_again_leaves_the_topic_and_its_records_as_they_are(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"v", partition=1)])

    await log.admin.create([TopicSpec(name=topic, partitions=5), TopicSpec(name=f"{topic}.new", partitions=1)])

    topics = await log.admin.topics()
    assert (topics[topic], topics[f"{topic}.new"]) == (2, 1)
    part = TopicPartition(topic, 1)
    assert await log.admin.offsets([part]) == {part: OffsetRange(0, 1)}


async def test_creating_nothing_is_fine(log: LogMesh) -> None:
    await log.admin.create([])


@pytest.mark.parametrize("name", ["", ".", "..", "with space", "ünï", "x" * 250, "a/b", "a\n"])
async def test_impossible_topic_name_is_refused_and_nothing_is_created(log: LogMesh, name: str) -> None:
    good = f"{log.ns}.good"

    with pytest.raises(ConfigError):
        await log.admin.create([TopicSpec(name=good), TopicSpec(name=name)])

    assert good not in await log.admin.topics()


async def test_topic_without_partitions_is_refused(log: LogMesh) -> None:
    with pytest.raises(ConfigError):
        await log.admin.create([TopicSpec(name=f"{log.ns}.none", partitions=0)])


async def test_offsets_tell_what_each_partition_holds_and_leave_out_what_does_not_exist(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    await send_all(transport, [OutgoingRecord(topic=topic, key=None, value=b"", partition=1) for _ in range(3)])
    parts = [TopicPartition(topic, number) for number in (0, 1, 2)]

    found = await log.admin.offsets([*parts, TopicPartition(f"{log.ns}.missing", 0)])

    assert found == {parts[0]: OffsetRange(0, 0), parts[1]: OffsetRange(0, 3)}
    assert f"{log.ns}.missing" not in await log.admin.topics()


async def test_questions_about_different_topics_can_be_asked_at_once(log: LogMesh) -> None:
    topics = [await log.topic(partitions=2, name=f"t{number}") for number in range(4)]

    async with asyncio.timeout(10):
        found = await asyncio.gather(*(log.admin.offsets([TopicPartition(topic, 1)]) for topic in topics * 5))

    assert found == [{TopicPartition(topic, 1): OffsetRange(0, 0)} for topic in topics * 5]


async def test_group_that_never_committed_has_no_offsets(log: LogMesh) -> None:
    topic = await log.topic()

    assert await log.admin.committed(f"{log.ns}.nobody", [TopicPartition(topic, 0)]) == {}


async def test_admin_is_closed_twice_without_harm(log: LogMesh) -> None:
    await log.admin.topics()

    await log.admin.aclose()
    await log.admin.aclose()
