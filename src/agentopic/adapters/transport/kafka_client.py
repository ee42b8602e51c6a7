"""The part of the untyped Kafka client that the adapter uses, with types."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient

from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.errors import MissingExtraError
from agentopic.ports.transport import TopicPartition


class Cluster(Protocol):
    """What is known of the cluster."""

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Return the partitions of a known topic."""
        ...

    def leader_for_partition(self, partition: TopicPartition) -> int | None:
        """Return the broker to read a partition from; -1 or None when there is none."""
        ...


class Client(Protocol):
    """The connections below a producer."""

    cluster: Cluster

    def set_topics(self, topics: Iterable[str]) -> Awaitable[bool]:
        """Follow these topics; done once they are known."""
        ...

    def force_metadata_update(self) -> Awaitable[bool]:
        """Learn the cluster's state anew."""
        ...

    async def bootstrap(self) -> None:
        """Connect to the first of the given addresses that answers."""
        ...

    def get_random_node(self) -> int | None:
        """Return a known broker."""
        ...

    async def send(self, node_id: int, request: Any, *, group: Any = ...) -> Any:
        """Send one request and return its response."""
        ...

    async def coordinator_lookup(self, coordinator_type: Any, coordinator_key: str) -> int:
        """Return the broker that keeps a group's offsets."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class Batch(Protocol):
    """Records of one partition that are written together or not at all."""

    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
    ) -> object | None:
        """Add a record; None when the batch is full."""
        ...


class Acknowledged(Protocol):
    """Where a batch was written."""

    offset: int


class Producer(Protocol):
    """The producing client."""

    client: Client

    async def start(self) -> None:
        """Connect."""
        ...

    async def stop(self) -> None:
        """Send what is waiting and disconnect."""
        ...

    def create_batch(self) -> Batch:
        """Return an empty batch."""
        ...

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> Awaitable[Acknowledged]:
        """Hand a batch over; the result is its acknowledgement."""
        ...


class Fetched(Protocol):
    """A record as the client returns it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Consumer(Protocol):
    """The consuming client."""

    async def start(self) -> None:
        """Connect."""
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these partitions."""
        ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read a partition from here on."""
        ...

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[Fetched]]:
        """Return the next records."""
        ...

    def last_poll_timestamp(self, partition: TopicPartition) -> int | None:
        """Return when, in wall-clock milliseconds, a broker last answered for a partition."""
        ...


class Admin(Protocol):
    """The administrating client."""

    async def start(self) -> None:
        """Connect."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...

    async def describe_topics(self) -> Sequence[Mapping[str, Any]]:
        """Return all topics."""
        ...

    async def create_topics(self, new_topics: Sequence[Any], timeout_ms: int) -> Any:
        """Create topics."""
        ...

    async def list_consumer_group_offsets(
        self, group_id: str, *, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, tuple[int, str]]:
        """Return a group's committed offsets, -1 for none."""
        ...


def new_producer(options: KafkaOptions) -> Producer:
    """Build a producer that is not connected yet.

    Raises:
        MissingExtraError: the compression needs a package that is not installed.
    """
    try:
        return cast("Producer", AIOKafkaProducer(**options.producer_arguments()))
    except RuntimeError as error:
        raise MissingExtraError(f"Kafka with {options.compression} compression", "kafka") from error


def new_consumer(options: KafkaOptions) -> Consumer:
    """Build a consumer that is not connected yet."""
    return cast("Consumer", AIOKafkaConsumer(**options.consumer_arguments()))


def new_client(options: KafkaOptions) -> Client:
    """Build bare connections that are not connected yet."""
    return cast("Client", AIOKafkaClient(**options.client_arguments()))


def new_admin(options: KafkaOptions) -> Admin:
    """Build an administrating client that is not connected yet."""
    return cast("Admin", AIOKafkaAdminClient(**options.client_arguments()))
