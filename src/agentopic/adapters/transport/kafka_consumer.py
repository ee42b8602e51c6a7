"""Starting and stopping the consuming client, both in bounded time."""

from __future__ import annotations

from functools import partial

from aiokafka.errors import KafkaError

from agentopic.adapters.transport.kafka_client import Consumer, new_consumer
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.adapters.transport.kafka_start import ClientStarts, within
from agentopic.errors import TransportError


async def start_consumer(options: KafkaOptions, starts: ClientStarts) -> Consumer:
    """Return a connected consumer.

    Raises:
        TransportError: no broker answers within the start-up time.
    """
    consumer = new_consumer(options)
    try:
        await starts.run(consumer.start(), partial(stop_consumer, consumer, options), options.start_timeout_seconds)
    except (KafkaError, OSError, TimeoutError) as error:
        raise TransportError(f"no Kafka broker answers at {options.bootstrap}: {error!r}") from error
    return consumer


async def stop_consumer(consumer: Consumer, options: KafkaOptions) -> None:
    """Disconnect, giving up after the closing time."""
    await within(options.close_timeout_seconds, "a Kafka consumer", consumer.stop())
