from __future__ import annotations

from typing import Any

import pytest

from agentopic.adapters.transport.admission import admit, check_spec, record_bytes
from agentopic.adapters.transport.partitioner import partition_of
from agentopic.errors import ConfigError, RecordRefusedError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord


def _record(**fields: Any) -> OutgoingRecord:
    values: dict[str, Any] = {"topic": "t", "key": b"k", "value": b"v", **fields}
    return OutgoingRecord(**values)


def test_key_value_and_headers_count_towards_the_size() -> None:
    record = _record(key=b"12", value=b"345", headers=(("é", b"6789"),))

    assert record_bytes(record) == 2 + 3 + 2 + 4 + 10


def test_record_at_the_limit_is_taken_and_one_byte_more_is_refused() -> None:
    size = record_bytes(_record()) + 100

    assert admit(_record(), 4, size, lambda count: count - 1) == partition_of(b"k", 4)
    assert isinstance(admit(_record(), 4, size - 1, lambda count: count - 1), RecordRefusedError)


def test_record_without_a_key_goes_where_the_caller_says() -> None:
    assert admit(_record(key=None), 4, 1000, lambda count: count - 1) == 3


@pytest.mark.parametrize("name", ["a", "A.b-c_9", "x" * 249])
def test_topic_names_kafka_takes_are_taken(name: str) -> None:
    check_spec(TopicSpec(name=name))


@pytest.mark.parametrize("name", ["", ".", "..", "x" * 250, "a b", "a\n", "ä", "a:b"])
def test_topic_names_kafka_refuses_are_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        check_spec(TopicSpec(name=name))
