"""What leaves for Kafka is compressed, by the codec that was chosen."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition as ClientTopicPartition

from agentopic.adapters.transport.kafka import KafkaTransport
from agentopic.adapters.transport.kafka_admin import KafkaAdmin
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.ports.transport import OutgoingRecord
from agentopic.testing.log_mesh import LogMesh, send_all

pytestmark = pytest.mark.kafka

TEXT = b"the same words again and again, " * 1000
_ATTRIBUTES, _CODEC_MASK = 21, 0x07


async def stored_batch(bootstrap: str, topic: str) -> bytes:
    """Return partition 0 of a topic as the broker keeps it."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        node = client.cluster.leader_for_partition(ClientTopicPartition(topic, 0))
        size = 1 << 20
        answer = await client.send(node, FetchRequest(500, 1, size, 0, [(topic, [(0, 0, size)])]))
        ((_, (fields,)),) = answer.topics
        return bytes(fields[-1])
    finally:
        await client.close()


@pytest.mark.parametrize(("chosen", "codec"), [({}, 4), ({"compression": "gzip"}, 1), ({"compression": None}, 0)])
async def test_batches_are_compressed_with_zstd_unless_told_otherwise(
    kafka: str, ns: str, chosen: dict[str, Any], codec: int
):
    options = KafkaOptions(bootstrap=kafka, **chosen)
    async with LogMesh(ns, lambda: KafkaTransport(options), lambda: KafkaAdmin(options)) as log:
        topic = await log.topic(partitions=1)
        transport = await log.open()
        await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=TEXT)])

        batch = await stored_batch(kafka, topic)

    assert int.from_bytes(batch[_ATTRIBUTES : _ATTRIBUTES + 2], "big") & _CODEC_MASK == codec
    assert (len(batch) < len(TEXT) / 50) == bool(codec)
