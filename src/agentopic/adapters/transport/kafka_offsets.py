"""Asking partitions' leaders how far they reach, all leaders at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import errors
from aiokafka.protocol.offset import OffsetRequest

from agentopic.adapters.transport.kafka_client import Client
from agentopic.ports.admin import OffsetRange
from agentopic.ports.transport import TopicPartition

_RETRY_SECONDS = 0.05
_NO_REPLICA, _READ_COMMITTED = -1, 1
_EARLIEST, _LATEST = -2, -1


async def list_offsets(client: Client, parts: Sequence[TopicPartition]) -> Mapping[TopicPartition, OffsetRange]:
    """Return how far existing partitions reach; waits while a leader is being elected.

    Raises:
        KafkaError: refused for good. A time limit is the caller's.
    """
    await client.set_topics({part.topic for part in parts})
    while True:
        try:
            first, end = await asyncio.gather(_ask(client, parts, _EARLIEST), _ask(client, parts, _LATEST))
        except errors.KafkaError as error:
            if not error.retriable:
                raise
        else:
            return {part: OffsetRange(first[part], end[part]) for part in parts}
        await asyncio.sleep(_RETRY_SECONDS)
        await client.force_metadata_update()


async def _ask(client: Client, parts: Sequence[TopicPartition], time: int) -> Mapping[TopicPartition, int]:
    wanted: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for part in parts:
        leader = client.cluster.leader_for_partition(part)
        if leader is None or leader < 0:
            raise errors.LeaderNotAvailableError(part)
        wanted[leader][part.topic].append((part.partition, time))
    answers = await asyncio.gather(
        *(
            client.send(leader, OffsetRequest(_NO_REPLICA, _READ_COMMITTED, list(topics.items())))
            for leader, topics in wanted.items()
        )
    )
    return {part: offset for answer in answers for part, offset in _offsets(answer)}


def _offsets(answer: Any) -> Sequence[tuple[TopicPartition, int]]:
    found: list[tuple[TopicPartition, int]] = []
    for topic, partitions in answer.topics:
        for partition, code, _, offset in partitions:
            if code:
                raise errors.for_code(code)(f"{topic}[{partition}]")
            found.append((TopicPartition(topic, partition), offset))
    return found
