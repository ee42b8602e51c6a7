from __future__ import annotations

import asyncio

import pytest

from agentopic.adapters.transport.partitioner import partition_of
from agentopic.errors import RecordRefusedError, TransportError
from agentopic.ports.transport import OutgoingRecord, Sent, TopicPartition
from agentopic.testing.log_mesh import LogMesh, read_until, send_all

_TEN_MEGABYTES = 10 * 1_048_576


async def test_records_of_one_partition_lie_in_the_order_given(log: LogMesh) -> None:
    topic = await log.topic(partitions=3)
    transport = await log.open()
    records = [OutgoingRecord(topic=topic, key=b"%d" % (n % 7), value=b"%d" % n) for n in range(500)]

    sent = await send_all(transport, records)

    for partition in range(3):
        offsets = [place.offset for place in sent if place.partition == partition]
        assert offsets == list(range(len(offsets)))
    reader = await log.reader(transport, topic, 3)
    by_key: dict[bytes | None, list[int]] = {}
    for record in await read_until(reader, 500):
        by_key.setdefault(record.key, []).append(int(record.value or b""))
    assert all(values == sorted(values) for values in by_key.values())
    assert len(by_key) == 7


async def test_key_decides_the_partition_as_kafkas_own_clients_do(log: LogMesh) -> None:
    topic = await log.topic(partitions=7)
    transport = await log.open()
    keys = [b"", b"a", b"ab", b"abc", b"abcd", b"customer-42", bytes(range(256)), "Zürich ☃".encode()]

    sent = await send_all(transport, [OutgoingRecord(topic=topic, key=key, value=b"") for key in keys])

    assert [place.partition for place in sent] == [partition_of(key, 7) for key in keys]


async def test_explicit_partition_wins_over_the_key(log: LogMesh) -> None:
    topic = await log.topic(partitions=4)
    transport = await log.open()

    sent = await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"", partition=n) for n in range(4)])

    assert [place.partition for place in sent] == [0, 1, 2, 3]


async def test_what_was_sent_is_what_is_read(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    headers = (("h", b"1"), ("h", b"\xff\xfe\x00"), ("", b""), ("ключ", b"\x00"), ("h", b"1"))
    records = [
        OutgoingRecord(topic=topic, key=None, value=b"no key"),
        OutgoingRecord(topic=topic, key=b"tombstone", value=None),
        OutgoingRecord(topic=topic, key=b"", value=b""),
        OutgoingRecord(topic=topic, key=b"\x00\xff", value=bytes(range(256)), headers=headers),
        OutgoingRecord(topic=topic, key=None, value=None),
    ]

    sent = await send_all(transport, records)

    read = await read_until(await log.reader(transport, topic, 1), len(records))
    assert [(one.key, one.value, one.headers) for one in read] == [(one.key, one.value, one.headers) for one in records]
    assert [(one.topic, one.partition, one.offset) for one in read] == [(topic, 0, place.offset) for place in sent]
    assert all(one.timestamp_ms > 1_700_000_000_000 for one in read)


async def test_ten_megabyte_value_goes_through_where_the_limits_allow_it(log: LogMesh) -> None:
    topic = await log.topic(partitions=2, max_message_bytes=str(2 * _TEN_MEGABYTES))
    transport = await log.open(max_record_bytes=2 * _TEN_MEGABYTES)
    values = [bytes([n]) * _TEN_MEGABYTES for n in range(3)]

    await send_all(
        transport, [OutgoingRecord(topic=topic, key=None, value=v, partition=n % 2) for n, v in enumerate(values)]
    )

    read = await read_until(await log.reader(transport, topic, 2), 3)
    assert sorted(record.value or b"" for record in read) == values


async def test_oversized_record_is_refused_and_its_neighbours_go_through(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    records = [OutgoingRecord(topic=topic, key=b"k", value=b"%d" % n) for n in range(9)]
    records[4] = OutgoingRecord(topic=topic, key=b"k", value=b"x" * _TEN_MEGABYTES)

    results = await transport.send(records)

    assert isinstance(results[4], RecordRefusedError)
    assert topic in str(results[4])
    assert [place.offset for place in results if isinstance(place, Sent)] == list(range(8))


@pytest.mark.parametrize("partition", [-1, 4])
async def test_partition_that_does_not_exist_is_refused(log: LogMesh, partition: int) -> None:
    topic = await log.topic(partitions=4)
    transport = await log.open()

    results = await transport.send(
        [
            OutgoingRecord(topic=topic, key=b"k", value=b"", partition=partition),
            OutgoingRecord(topic=topic, key=b"k", value=b"", partition=3),
        ]
    )

    assert isinstance(results[0], RecordRefusedError)
    assert results[1] == Sent(3, 0)


async def test_missing_topic_is_refused_by_name_and_not_created(log: LogMesh) -> None:
    topic = await log.topic()
    missing = f"{log.ns}.missing"
    transport = await log.open()

    async with asyncio.timeout(5):
        results = await transport.send(
            [
                OutgoingRecord(topic=missing, key=b"k", value=b""),
                OutgoingRecord(topic=topic, key=b"k", value=b""),
            ]
        )

    assert isinstance(results[0], RecordRefusedError)
    assert missing in str(results[0])
    assert isinstance(results[1], Sent)
    assert missing not in await log.admin.topics()


async def test_topic_created_after_a_refusal_is_noticed(log: LogMesh) -> None:
    transport = await log.open()
    record = OutgoingRecord(topic=f"{log.ns}.late", key=b"k", value=b"v")
    refused = await transport.send([record])

    await log.topic(name="late")
    results = await transport.send([record])

    assert isinstance(refused[0], RecordRefusedError)
    assert isinstance(results[0], Sent)


async def test_header_name_that_is_no_text_is_refused_alone(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()

    results = await transport.send(
        [
            OutgoingRecord(topic=topic, key=b"k", value=b"", headers=(("\ud800", b""),)),
            OutgoingRecord(topic=topic, key=b"k", value=b""),
        ]
    )

    assert isinstance(results[0], RecordRefusedError)
    assert results[1] == Sent(0, 0)


async def test_overlapping_sends_are_all_acknowledged_once(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()

    results = await asyncio.gather(
        *(
            transport.send([OutgoingRecord(topic=topic, key=b"%d" % n, value=b"%d.%d" % (n, m)) for m in range(3)])
            for n in range(200)
        )
    )

    places = {(place.partition, place.offset) for result in results for place in result if isinstance(place, Sent)}
    assert len(places) == 600
    read = await read_until(await log.reader(transport, topic, 2), 600)
    for n in range(200):
        own = [record.value for record in read if record.key == b"%d" % n]
        assert own == [b"%d.%d" % (n, m) for m in range(3)]


async def test_sending_nothing_returns_nothing(log: LogMesh) -> None:
    transport = await log.open()

    assert list(await transport.send([])) == []


async def test_two_transports_on_one_log_see_each_others_records(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    first, second = await log.open(), await log.open()
    reader_of_first, reader_of_second = await log.reader(first, topic, 1), await log.reader(second, topic, 1)

    await send_all(first, [OutgoingRecord(topic=topic, key=b"k", value=b"1")])
    await send_all(second, [OutgoingRecord(topic=topic, key=b"k", value=b"2")])

    assert [record.value for record in await read_until(reader_of_first, 2)] == [b"1", b"2"]
    assert [record.value for record in await read_until(reader_of_second, 2)] == [b"1", b"2"]


async def test_closed_transport_takes_nothing_and_says_so(log: LogMesh) -> None:
    topic = await log.topic()
    transport = await log.open()
    await transport.aclose()
    await transport.aclose()

    try:
        results = await transport.send([OutgoingRecord(topic=topic, key=b"k", value=b"")])
    except TransportError as error:
        results = [error]

    assert isinstance(results[0], TransportError)
    ends = await log.admin.offsets([TopicPartition(topic, n) for n in range(4)])
    assert sum(reach.end for reach in ends.values()) == 0
