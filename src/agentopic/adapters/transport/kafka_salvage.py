"""Reading one batch of a partition past the client's decoder, so that a record it chokes on stops nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiokafka import errors
from aiokafka.protocol.fetch import FetchRequest

from agentopic.adapters.transport.kafka_batch import RecordBatch, decode_batch
from agentopic.adapters.transport.kafka_client import Client
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.errors import OffsetOutOfRangeError, TransportError
from agentopic.ports.transport import Record, TopicPartition

_READ_COMMITTED = 1
_PREFERRED_REPLICA_SINCE = 11


async def salvage(
    client: Client, part: TopicPartition, offset: int, options: KafkaOptions
) -> tuple[Sequence[Record], int]:
    """Return the records of the batch at a position, and the position behind it; the same position if at the end.

    Raises:
        OffsetOutOfRangeError: the position lies outside what the log holds.
        TransportError: no broker answers, or the batch is damaged.
    """
    node = client.cluster.leader_for_partition(part)
    if node is None or node < 0:
        raise TransportError(f"{part.topic}[{part.partition}] has no leader")
    limit = options.max_partition_fetch_bytes
    wanted = [(part.topic, [(part.partition, offset, limit)])]
    try:
        answer = await client.send(node, FetchRequest(0, 0, limit, _READ_COMMITTED, wanted))
    except errors.KafkaError as error:
        raise TransportError(f"{part.topic}[{part.partition}] cannot be read: {error!r}") from error
    return _records(part, offset, answer)


def _records(part: TopicPartition, offset: int, answer: Any) -> tuple[Sequence[Record], int]:
    ((_, (fields,)),) = answer.topics
    error = errors.for_code(fields[1])
    if error is errors.OffsetOutOfRangeError:
        raise OffsetOutOfRangeError(part.topic, part.partition, offset)
    if error is not errors.NoError:
        raise TransportError(f"{part.topic}[{part.partition}] cannot be read: {error.__name__}")
    if not fields[-1]:
        return (), offset
    batch = decode_batch(part, fields[-1])
    aborted = fields[-3] if answer.API_VERSION >= _PREFERRED_REPLICA_SINCE else fields[-2]
    records = () if _is_aborted(batch, aborted or ()) else batch.records
    return [record for record in records if record.offset >= offset], batch.next_offset


def _is_aborted(batch: RecordBatch, aborted: Sequence[tuple[int, int]]) -> bool:
    return any(producer == batch.producer_id and first <= batch.base_offset for producer, first in aborted)
