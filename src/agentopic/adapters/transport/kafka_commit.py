"""Storing a group's offsets at its coordinator, outside the group protocol, in bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from aiokafka import errors
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.protocol.commit import OffsetCommitRequest

from agentopic.adapters.transport.kafka_client import Client
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.adapters.transport.kafka_producer import Producers
from agentopic.errors import TransportError
from agentopic.ports.transport import TopicPartition

_RETRY_SECONDS = 0.1
_NO_GENERATION = -1
_BROKER_RETENTION = -1


class OffsetCommitter:
    """Commits under one group's name, which must have no members: the name is for lag tools only."""

    def __init__(self, producers: Producers, options: KafkaOptions, group: str) -> None:
        self._producers = producers
        self._options = options
        self._group = group
        self._coordinator: int | None = None

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the offsets.

        Raises:
            TransportError: refused, or not answered in time; then they may have been stored.
        """
        seconds = self._options.commit_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                await self._until_stored(offsets)
        except TimeoutError as error:
            self._coordinator = None
            raise TransportError(f"group {self._group!r}: no commit within {seconds:g} s") from error

    async def _until_stored(self, offsets: Mapping[TopicPartition, int]) -> None:
        while True:
            try:
                await self._store((await self._producers.current()).client, offsets)
            except errors.KafkaError as error:
                self._coordinator = None
                if not error.retriable:
                    message = f"group {self._group!r}: commit refused: {error!r}"
                    raise TransportError(message) from error
            else:
                return
            await asyncio.sleep(_RETRY_SECONDS)

    async def _store(self, client: Client, offsets: Mapping[TopicPartition, int]) -> None:
        if self._coordinator is None:
            self._coordinator = await client.coordinator_lookup(CoordinationType.GROUP, self._group)
        request = OffsetCommitRequest(self._group, _NO_GENERATION, "", _BROKER_RETENTION, _by_topic(offsets))
        response = await client.send(self._coordinator, request, group=ConnectionGroup.COORDINATION)
        _check(response.to_object()["topics"])


def _by_topic(offsets: Mapping[TopicPartition, int]) -> list[tuple[str, list[tuple[int, int, str]]]]:
    grouped = groupby(sorted(offsets.items()), key=lambda item: item[0].topic)
    return [(topic, [(part.partition, offset, "") for part, offset in items]) for topic, items in grouped]


def _check(topics: Iterable[Mapping[str, Any]]) -> None:
    for topic in topics:
        for partition in topic["partitions"]:
            if partition["error_code"]:
                raise errors.for_code(partition["error_code"])(f"{topic['topic']}[{partition['partition']}]")
