"""Decoding one Kafka record batch ourselves, for the batches that the client's strict decoder gives up on.

Source: the record batch format, version 2, of the Kafka protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.record.util import calc_crc32c

from agentopic.errors import TransportError
from agentopic.ports.transport import Headers, Record, TopicPartition

# Base offset, length, leader epoch, magic, checksum, attributes, last offset delta, first and last time,
# producer id and epoch, sequence, number of records.
_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
_BEFORE_LENGTH_ENDS = 12
_CHECKED_FROM = 21
_CODEC_MASK, _LOG_APPEND_TIME, _CONTROL = 0x07, 0x08, 0x20
_CODECS: Final[dict[int, Callable[[bytes], bytes]]] = {
    0: bytes,
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBatch:
    """One batch: its records, who wrote it, and the offset behind it."""

    records: Sequence[Record]
    base_offset: int
    next_offset: int
    producer_id: int


def decode_batch(part: TopicPartition, raw: bytes) -> RecordBatch:
    """Decode the first batch of what a broker returned; header names that are no UTF-8 are shown escaped.

    Raises:
        TransportError: the bytes are damaged, cut off or of another format.
    """
    try:
        return _decode(part, raw)
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise TransportError(f"a batch of {part.topic}[{part.partition}] is damaged: {error!r}") from error


def _decode(part: TopicPartition, raw: bytes) -> RecordBatch:
    base, length, _, magic, crc, attributes, last_delta, first_time, last_time, producer, _, _, count = (
        _HEADER.unpack_from(raw)
    )
    end = _BEFORE_LENGTH_ENDS + length
    if magic != 2 or len(raw) < end or calc_crc32c(raw[_CHECKED_FROM:end]) != crc:
        raise ValueError(f"format {magic}, {len(raw)} of {end} bytes, or a wrong checksum")
    records: list[Record] = []
    if not attributes & _CONTROL:
        cursor = _Cursor(_CODECS[attributes & _CODEC_MASK](raw[_HEADER.size : end]))
        time = last_time if attributes & _LOG_APPEND_TIME else None
        records = [cursor.record(part, base, first_time, time) for _ in range(count)]
    return RecordBatch(records=records, base_offset=base, next_offset=base + last_delta + 1, producer_id=producer)


class _Cursor:
    """Reads the fields of records one after another."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def record(self, part: TopicPartition, base: int, first_time: int, time: int | None) -> Record:
        self._number()  # the length; every field in it has its own
        self._at += 1  # attributes, unused
        time_delta, offset_delta = self._number(), self._number()
        return Record(
            topic=part.topic,
            partition=part.partition,
            offset=base + offset_delta,
            timestamp_ms=first_time + time_delta if time is None else time,
            key=self._bytes(),
            value=self._bytes(),
            headers=self._headers(),
        )

    def _headers(self) -> Headers:
        return tuple(
            ((self._bytes() or b"").decode(errors="backslashreplace"), self._bytes() or b"")
            for _ in range(self._number())
        )

    def _bytes(self) -> bytes | None:
        length = self._number()
        if length < 0:
            return None
        self._at += length
        if self._at > len(self._body):
            raise IndexError("a field reaches beyond its batch")
        return self._body[self._at - length : self._at]

    def _number(self) -> int:
        # A zigzag-coded number, seven bits a byte, the lowest first.
        shift = coded = 0
        while True:
            byte = self._body[self._at]
            self._at += 1
            coded |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (coded >> 1) ^ -(coded & 1)
            shift += 7
