"""Topic administration of a Kafka cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiokafka import errors
from aiokafka.admin import NewTopic

from agentopic.adapters.transport.admission import check_spec
from agentopic.adapters.transport.kafka_client import Admin, Client, new_admin, new_client
from agentopic.adapters.transport.kafka_offsets import list_offsets
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.adapters.transport.kafka_start import ClientStarts, within
from agentopic.errors import ConfigError, TransportError, UnreachableError
from agentopic.ports.admin import OffsetRange, TopicSpec
from agentopic.ports.transport import TopicPartition

_RETRY_SECONDS = 0.05
_TOPIC_EXISTS = 36


class KafkaAdmin:
    """See `agentopic.ports.admin.TopicAdmin`. Connects at the first call.

    Every call raises UnreachableError when no broker answers at the first contact and TransportError when one
    stops answering later.
    """

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._clients: tuple[Admin, Client] | None = None
        self._connecting = asyncio.Lock()
        self._asking = asyncio.Lock()
        self._starts = ClientStarts()

    async def topics(self) -> Mapping[str, int]:
        """Return every topic's name with its number of partitions, Kafka's internal topics left out."""
        async with self._limited("listing topics") as (admin, _):
            return await _described(admin)

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that do not exist and wait until they can be written to.

        Raises:
            ConfigError: Kafka refuses a topic for good: its name, numbers, settings, or our rights.
        """
        for spec in specs:
            check_spec(spec)
        async with self._limited("creating topics") as (admin, client):
            known = await _described(admin)
            missing = [spec for spec in specs if spec.name not in known]
            if not missing:
                return
            new, limit = [_new_topic(spec) for spec in missing], self._options.request_timeout_seconds
            answer = await admin.create_topics(new, int(limit * 1000))
            _check_created(answer.to_object()["topic_errors"])
            await _visible(admin, {spec.name for spec in specs})
            parts = [TopicPartition(spec.name, number) for spec in missing for number in range(spec.partitions)]
            await self._list_offsets(client, parts)  # answered once every leader is in office

    async def offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, OffsetRange]:
        """Return what each partition holds now."""
        async with self._limited("reading offsets") as (admin, client):
            known = await _described(admin)
            parts = [part for part in partitions if 0 <= part.partition < known.get(part.topic, 0)]
            if not parts:
                return {}
            return await self._list_offsets(client, parts)

    async def _list_offsets(
        self, client: Client, parts: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, OffsetRange]:
        # One at a time: the client follows the topics it was told last, and forgets the leaders of all others.
        async with self._asking:
            return await list_offsets(client, parts)

    async def committed(self, group: str, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offsets committed under a group's name."""
        parts = list(partitions)
        if not parts:
            return {}
        async with self._limited("reading committed offsets") as (admin, _):
            found = await _committed(admin, group, parts)
        return {TopicPartition(*part): stored[0] for part, stored in found.items() if stored[0] >= 0}

    async def aclose(self) -> None:
        """Disconnect, in bounded time. Idempotent."""
        async with self._connecting:
            clients, self._clients = self._clients, None
            if clients is not None:
                await self._stop(*clients)
            await self._starts.settle(self._options.close_timeout_seconds)

    @asynccontextmanager
    async def _limited(self, what: str) -> AsyncGenerator[tuple[Admin, Client]]:
        clients = await self._connected()
        try:
            async with asyncio.timeout(self._options.request_timeout_seconds):
                yield clients
        except (errors.KafkaError, OSError, TimeoutError) as error:
            raise TransportError(f"{what} failed: {error!r}") from error

    async def _connected(self) -> tuple[Admin, Client]:
        async with self._connecting:
            if self._clients is None:
                self._clients = await self._connect()
            return self._clients

    async def _connect(self) -> tuple[Admin, Client]:
        admin, client = new_admin(self._options), new_client(self._options)
        try:
            await self._starts.run(
                _start(admin, client),
                partial(self._stop, admin, client),
                self._options.start_timeout_seconds,
            )
        except (errors.KafkaError, OSError, TimeoutError) as error:
            message = f"no Kafka broker answers at {self._options.bootstrap}: {error!r}"
            raise UnreachableError(message) from error
        return admin, client

    async def _stop(self, admin: Admin, client: Client) -> None:
        limit = self._options.close_timeout_seconds
        await within(limit, "a Kafka connection", client.close())
        await within(limit, "a Kafka admin client", admin.close())


async def _start(admin: Admin, client: Client) -> None:
    await admin.start()
    await client.bootstrap()


async def _described(admin: Admin) -> Mapping[str, int]:
    topics = await admin.describe_topics()
    return {
        topic["topic"]: len(topic["partitions"])
        for topic in topics
        if not topic["error_code"] and not topic["is_internal"]
    }


async def _visible(admin: Admin, names: set[str]) -> None:
    while True:
        if names <= set(await _described(admin)):
            return
        await asyncio.sleep(_RETRY_SECONDS)


async def _committed(
    admin: Admin, group: str, parts: Sequence[TopicPartition]
) -> Mapping[TopicPartition, tuple[int, str]]:
    while True:
        try:
            return await admin.list_consumer_group_offsets(group, partitions=parts)
        except errors.KafkaError as error:
            if not error.retriable:
                raise
        await asyncio.sleep(_RETRY_SECONDS)  # the cluster's first group: its topic is being created


def _new_topic(spec: TopicSpec) -> NewTopic:
    return NewTopic(spec.name, spec.partitions, spec.replication, topic_configs=dict(spec.config))


def _check_created(answers: Iterable[Mapping[str, Any]]) -> None:
    for answer in answers:
        code = answer["error_code"]
        if not code or code == _TOPIC_EXISTS:
            continue
        error = errors.for_code(code)
        message = f"topic {answer['topic']!r} cannot be created: {error.__name__}: {answer['error_message']}"
        raise TransportError(message) if error.retriable else ConfigError(message)
