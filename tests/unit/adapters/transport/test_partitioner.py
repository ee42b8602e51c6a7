from __future__ import annotations

import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as clients_murmur2
from hypothesis import given
from hypothesis import strategies as st

from agentopic.adapters.transport.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_hash_is_the_one_kafkas_java_client_computes(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


@given(st.binary(max_size=300))
def test_hash_is_the_one_the_kafka_client_computes(key: bytes) -> None:
    assert murmur2(key) == clients_murmur2(key)


@given(st.binary(max_size=64), st.integers(min_value=1, max_value=500))
def test_partition_is_the_one_the_kafka_client_chooses(key: bytes, partitions: int) -> None:
    everything = list(range(partitions))

    assert partition_of(key, partitions) == DefaultPartitioner()(key, everything, everything)
