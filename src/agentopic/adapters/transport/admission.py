"""What every transport checks before it takes a record, so that a refusal does not depend on the adapter."""

from __future__ import annotations

import re
from collections.abc import Callable

from agentopic.adapters.transport.partitioner import partition_of
from agentopic.errors import ConfigError, RecordRefusedError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord

DEFAULT_RECORD_BYTES = 1_048_576
"""The largest record taken unless set otherwise: what a Kafka topic takes by default, everywhere the same."""

# Room for lengths, offsets and the batch header, which count towards a Kafka topic's limit.
_OVERHEAD_BYTES = 100
_TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}", re.ASCII)


def record_bytes(record: OutgoingRecord) -> int:
    """Return about how many bytes a record takes in a log, never less than it does.

    Raises:
        UnicodeEncodeError: a header name holds a lone surrogate.
    """
    size = len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        size += (len(name) if name.isascii() else len(name.encode())) + len(value) + 10
    return size


def unknown_topic(topic: str) -> RecordRefusedError:
    """Return the refusal of a record whose topic does not exist."""
    return RecordRefusedError(f"topic {topic!r} does not exist: its owner creates it")


def admit(
    record: OutgoingRecord, partitions: int, max_bytes: int, any_partition: Callable[[int], int]
) -> int | RecordRefusedError:
    """Return the partition a record goes to, or why the log will not take it, ever.

    `partitions` is how many its topic has; `any_partition` chooses for records without a key.
    """
    oversize = _oversize(record, max_bytes)
    if oversize is not None:
        return oversize
    if record.partition is None:
        return any_partition(partitions) if record.key is None else partition_of(record.key, partitions)
    if 0 <= record.partition < partitions:
        return record.partition
    topic, last = record.topic, partitions - 1
    return RecordRefusedError(f"topic {topic!r} has partitions 0 to {last}, not {record.partition}")


def _oversize(record: OutgoingRecord, max_bytes: int) -> RecordRefusedError | None:
    try:
        size = record_bytes(record) + _OVERHEAD_BYTES
    except UnicodeEncodeError as error:
        return RecordRefusedError(f"a header name of a record for topic {record.topic!r} is no text: {error}")
    if size <= max_bytes:
        return None
    topic = record.topic
    return RecordRefusedError(
        f"a record of {size} bytes for topic {topic!r} exceeds the limit of {max_bytes}: send a reference"
    )


def check_spec(spec: TopicSpec) -> None:
    """Refuse a topic that Kafka would refuse, on every transport.

    Raises:
        ConfigError: the name or the number of partitions cannot be.
    """
    if not _TOPIC_NAME.fullmatch(spec.name) or spec.name in {".", ".."}:
        raise ConfigError(f"{spec.name!r} is no topic name: use 1 to 249 of A-Z, a-z, 0-9, '.', '_' and '-'")
    if spec.partitions < 1:
        raise ConfigError(f"topic {spec.name!r} needs at least one partition, not {spec.partitions}")
