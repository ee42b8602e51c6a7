"""What scripts return, as the port's values, and records as the bytes they are stored as.

A stored record is the length of its address, the address (topic, partition) and its content (key, value, headers):
a script makes the reply for one address by putting an answer's content behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import Struct
from typing import Any

from agentopic.envelope.kafka_headers import pack_headers, unpack_headers
from agentopic.ports.journal import Answer, Incoming, OutboxRow, ReplyAddress, Started, StepRow, StoredRow
from agentopic.ports.transport import Headers

Row = list[Any]
_LENGTH = Struct(">I")
_PAIR = Struct(">ii")
_NOTHING: Mapping[bytes, Incoming] = {}


def pack_address(topic: str, partition: int | None) -> bytes:
    """Return a topic and partition; addresses of one topic sort like their partitions."""
    number = "" if partition is None else f"{partition:010d}"
    return f"{topic}\0{number}".encode()


def address_of(packed: bytes) -> ReplyAddress:
    """Return the address of a reply."""
    topic, _, partition = packed.decode().partition("\0")
    return ReplyAddress(topic, int(partition))


def pack_content(key: bytes | None, value: bytes | None, headers: Headers) -> bytes:
    """Return what a record says."""
    lengths = _PAIR.pack(-1 if key is None else len(key), -1 if value is None else len(value))
    return b"".join((lengths, key or b"", value or b"", pack_headers(headers)))


def content_of(packed: bytes) -> tuple[bytes | None, bytes | None, Headers]:
    """Return key, value and headers of a record."""
    key_length, value_length = _PAIR.unpack_from(packed)
    middle = _PAIR.size + max(key_length, 0)
    end = middle + max(value_length, 0)
    key = None if key_length < 0 else packed[_PAIR.size : middle]
    value = None if value_length < 0 else packed[middle:end]
    return key, value, unpack_headers(packed[end:])


def pack_row(row: OutboxRow) -> bytes:
    """Return a record to publish."""
    address = pack_address(row.topic, row.partition)
    return b"".join((_LENGTH.pack(len(address)), address, pack_content(row.key, row.value, row.headers)))


def answer_content(answer: Answer) -> bytes:
    """Return what the replies of an answer say."""
    return pack_content(answer.key, answer.value, answer.headers)


def stored_row(row: Row) -> StoredRow:
    """Return one row of the outbox."""
    number, lane, packed = row
    start = _LENGTH.size + _LENGTH.unpack_from(packed)[0]
    topic, _, partition = packed[_LENGTH.size : start].decode().partition("\0")
    key, value, headers = content_of(packed[start:])
    record = OutboxRow(
        topic=topic, key=key, value=value, headers=headers, partition=int(partition) if partition else None
    )
    return StoredRow(number, lane, record)


def stored_rows(rows: Sequence[Row]) -> Sequence[StoredRow]:
    """Return rows of the outbox."""
    return [stored_row(row) for row in rows]


def started(row: Row, stored: Mapping[bytes, Incoming] = _NOTHING) -> Started:
    """Return a lane as its holder sees it; heads that this very call has stored are in `stored`, by identity."""
    lane, group, key, token, pos, version, unsent = row[:7]
    rows = tuple(map(stored_row, unsent))
    if pos is None:
        return Started(
            lane=lane, group=group.decode(), key=key.decode(), token=token, pos=None, version=version, unsent=rows
        )
    identity, head, body, attempts, failures, crashes, expired, cancelled = row[7:]
    if head is None:
        head, body = stored[identity].head, stored[identity].body
    return Started(
        lane=lane,
        group=group.decode(),
        key=key.decode(),
        token=token,
        pos=pos,
        identity=identity,
        head=head,
        body=body,
        attempts=attempts,
        failures=failures,
        crashes=crashes,
        version=version,
        unsent=rows,
        expired=bool(expired),
        cancelled=bool(cancelled),
    )


def step_row(row: Row) -> StepRow:
    """Return one step."""
    key, kind, name, result, fresh, due_ms, remaining, stored = row
    return StepRow(
        key=key,
        kind=kind.decode(),
        name=name.decode(),
        result=result,
        fresh=bool(fresh),
        due_ms=due_ms,
        remaining_seconds=None if remaining is None else remaining / 1000,
        rows=tuple(map(stored_row, stored)),
    )
