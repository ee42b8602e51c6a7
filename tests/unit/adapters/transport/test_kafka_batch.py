from __future__ import annotations

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from agentopic.adapters.transport.kafka_batch import decode_batch
from agentopic.errors import TransportError
from agentopic.ports.transport import TopicPartition

_PART = TopicPartition("t", 3)
_BLOB = st.none() | st.binary(max_size=40)
_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
_RECORDS = st.lists(
    st.tuples(_BLOB, _BLOB, st.lists(st.tuples(_NAMES, st.binary(max_size=20)), max_size=3)),
    min_size=1,
    max_size=8,
)

Fields = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]


def _batch(records: list[Fields], compression: int) -> bytes:
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, 0, 1_000_000)
    for offset, (key, value, headers) in enumerate(records):
        builder.append(offset, 1_700_000_000_000 + offset, key, value, [*headers])
    return bytes(builder.build())


@given(_RECORDS, st.sampled_from([0, 1, 2, 3, 4]))
def test_batch_is_decoded_as_the_client_decodes_it(records: list[Fields], compression: int) -> None:
    raw = _batch(records, compression)

    batch = decode_batch(_PART, raw + b"the next batch")

    assert [(one.offset, one.timestamp_ms, one.key, one.value, one.headers) for one in batch.records] == [
        (one.offset, one.timestamp, one.key, one.value, tuple(one.headers)) for one in DefaultRecordBatch(raw)
    ]
    assert (batch.base_offset, batch.next_offset, batch.producer_id) == (0, len(records), -1)
    assert {(one.topic, one.partition) for one in batch.records} == {_PART}


@given(st.binary(max_size=200))
def test_bytes_that_are_no_batch_are_a_typed_error(raw: bytes) -> None:
    with pytest.raises(TransportError):
        decode_batch(_PART, raw)


@given(st.integers(min_value=0, max_value=200), st.integers(min_value=1, max_value=255))
def test_damaged_batch_is_a_typed_error_or_the_same_records(place: int, change: int) -> None:
    raw = bytearray(_batch([(b"key", b"value" * 20, [("h", b"v")])], 0))
    place %= len(raw)
    expected = decode_batch(_PART, bytes(raw)).records
    raw[place] ^= change

    try:
        found = decode_batch(_PART, bytes(raw)).records
    except TransportError:
        return

    # Only the base offset and the leader epoch lie outside the checksum.
    assert [(one.key, one.value, one.headers) for one in found] == [
        (one.key, one.value, one.headers) for one in expected
    ]
    assert place < 8 or 12 <= place < 16
