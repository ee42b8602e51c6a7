"""Every trap of the Kafka client that still applies, by its number in `docs/kafka-client.md`."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition as ClientTopicPartition

from agentopic.adapters.transport.kafka import KafkaTransport
from agentopic.adapters.transport.kafka_admin import KafkaAdmin
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.errors import (
    MissingTopicError,
    OffsetOutOfRangeError,
    RecordRefusedError,
    TransportError,
    UnreachableError,
)
from agentopic.ports.transport import OutgoingRecord, Reader, Sent, TopicPartition
from agentopic.testing import KafkaServer
from agentopic.testing.log_mesh import LogMesh, read_until, send_all

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

_QUICK = {
    "start_timeout_seconds": 2.0,
    "request_timeout_seconds": 2.0,
    "delivery_timeout_seconds": 3.0,
    "commit_timeout_seconds": 1.0,
    "close_timeout_seconds": 1.0,
    "silence_seconds": 2.0,
}


def _mesh(bootstrap: str, ns: str, **options: Any) -> LogMesh:
    base = KafkaOptions(bootstrap=bootstrap, **options)
    return LogMesh(ns, lambda **more: KafkaTransport(dataclasses.replace(base, **more)), lambda: KafkaAdmin(base))


@pytest.fixture
async def log(kafka: str, ns: str) -> AsyncIterator[LogMesh]:
    async with _mesh(kafka, ns) as mesh:
        yield mesh


@pytest.fixture(scope="module")
def own_server(bed_address: Callable[[str], str]) -> Iterator[KafkaServer]:
    """A broker of these tests alone, which each leaves running."""
    bed_address("kafka")
    with KafkaServer() as server:
        yield server


@pytest.fixture
async def own_log(own_server: KafkaServer, ns: str) -> AsyncIterator[LogMesh]:
    """A log on a broker of this test alone, with short time-outs."""
    async with _mesh(own_server.bootstrap, ns, **_QUICK) as mesh:
        yield mesh


def _records(topic: str, count: int, **fields: Any) -> list[OutgoingRecord]:
    return [OutgoingRecord(topic=topic, key=b"k", value=b"%d" % n, **fields) for n in range(count)]


async def test_a1_reading_and_closing_commits_nothing(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await send_all(transport, _records(topic, 3))
    await read_until(await log.reader(transport, topic, 1), 3)

    await transport.aclose()

    assert await log.admin.committed(log.group, [TopicPartition(topic, 0)]) == {}


async def test_a1_record_sent_before_the_first_reader_is_read(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await send_all(transport, _records(topic, 1))

    reader = await log.reader(transport, topic, 1)

    assert len(await read_until(reader, 1)) == 1


async def test_a2_commit_states_the_given_partitions_and_no_others(log: LogMesh) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    await send_all(transport, [*_records(topic, 3, partition=0), *_records(topic, 3, partition=1)])
    reader = await log.reader(transport, topic, 2)
    await read_until(reader, 6)
    parts = [TopicPartition(topic, 0), TopicPartition(topic, 1)]

    await reader.commit({parts[1]: 2})

    assert await log.admin.committed(log.group, parts) == {parts[1]: 2}


async def test_a3_cancelled_reads_lose_nothing_and_do_not_wedge_the_consumer(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    reader = await log.reader(transport, topic, 1)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await reader.read(10, 30.0)

    await send_all(transport, _records(topic, 50))

    assert [record.offset for record in await read_until(reader, 50)] == list(range(50))


async def test_a4_to_a12_a15_a19_no_member_ever_joins_the_group(log: LogMesh, kafka: str) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    reader = await log.reader(transport, topic, 1)
    await reader.read(1, 0.0)
    await reader.commit({TopicPartition(topic, 0): 0})

    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    try:
        (answer,) = await client.describe_consumer_groups([log.group])
    finally:
        await client.close()

    (group,) = answer.to_object()["groups"]
    assert (group["state"], group["members"]) == ("Empty", [])


async def test_a10_read_without_an_assignment_keeps_its_time_out(log: LogMesh) -> None:
    transport = await log.open()
    reader = await transport.reader(log.group)

    async with asyncio.timeout(5):
        assert list(await reader.read(10, 0.05)) == []


async def test_a11_commit_to_a_silent_broker_ends_in_time_and_works_afterwards(
    own_log: LogMesh, own_server: KafkaServer
) -> None:
    topic = await own_log.topic(partitions=1)
    transport = await own_log.open()
    reader = await own_log.reader(transport, topic, 1)
    part = TopicPartition(topic, 0)
    await reader.commit({part: 0})

    own_server.pause()
    try:
        async with asyncio.timeout(10):
            with pytest.raises(TransportError, match="no commit within"):
                await reader.commit({part: 1})
    finally:
        own_server.resume()

    await _eventually(lambda: reader.commit({part: 2}))
    assert await own_log.admin.committed(own_log.group, [part]) == {part: 2}


async def test_a13_a14_a17_reader_says_that_its_broker_is_silent_and_goes_on_afterwards(
    own_log: LogMesh, own_server: KafkaServer
) -> None:
    topic = await own_log.topic(partitions=2)
    transport = await own_log.open()
    reader = await own_log.reader(transport, topic, 2)
    await send_all(transport, _records(topic, 1))
    await read_until(reader, 1)

    own_server.pause()
    try:
        async with asyncio.timeout(30):
            with pytest.raises(TransportError, match="no broker has answered"):
                await _read_for_ever(reader)
    finally:
        own_server.resume()

    await _eventually(lambda: send_all(transport, _records(topic, 1)))
    found: list[bytes | None] = []
    async with asyncio.timeout(30):
        while not found:
            found.extend(record.value for record in await _eventually(lambda: reader.read(10, 1.0)))
    assert set(found) == {b"0"}


async def test_a16_bytes_that_are_no_text_at_all_stop_no_partition(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    garbage = OutgoingRecord(topic=topic, key=b"\xff\x00", value=b"\xfe\x00{", headers=(("ce_id", b"\xff"),))

    await send_all(transport, [garbage, *_records(topic, 1)])

    read = await read_until(await log.reader(transport, topic, 1), 2)
    assert [record.value for record in read] == [garbage.value, b"0"]


@pytest.mark.timeout(150)
async def test_a17_when_every_known_broker_is_gone_the_given_addresses_are_asked_again(
    own_server: KafkaServer, ns: str
) -> None:
    async with (
        KafkaServer() as doomed,
        _mesh(doomed.bootstrap, ns, **_QUICK) as first,
        _mesh(own_server.bootstrap, ns, **_QUICK) as other,
        _mesh(f"{doomed.bootstrap},{own_server.bootstrap}", ns, **_QUICK) as mesh,
    ):
        # The client asks the given addresses in an order of its own: the topic is wherever it begins.
        topic = await other.topic(partitions=1)
        await first.topic(partitions=1)
        transport = await mesh.open()
        reader = await mesh.reader(transport, topic, 1)
        assert list(await reader.read(1, 0.1)) == []

        await asyncio.to_thread(doomed.kill)

        await _eventually(lambda: send_all(transport, _records(topic, 1)))
        read = await _eventually(lambda: read_until(reader, 1))
        assert [record.value for record in read] == [b"0"]


@pytest.mark.parametrize("compression", [0, 4])
async def test_a16_header_name_that_is_no_text_stops_no_partition_and_loses_no_neighbour(
    log: LogMesh, kafka: str, compression: int
) -> None:
    topic = await log.topic(partitions=2)
    transport = await log.open()
    await send_all(transport, [*_records(topic, 3, partition=0), *_records(topic, 3, partition=1)])
    await _send_raw(kafka, topic, compression)
    await send_all(transport, [*_records(topic, 3, partition=0), *_records(topic, 3, partition=1)])

    read = await read_until(await log.reader(transport, topic, 2), 15)

    first = [record for record in read if record.partition == 0]
    assert [record.offset for record in first] == list(range(9))
    assert [record.value for record in first[3:6]] == [b"before", b"bad", b"behind"]
    assert first[4].headers == (("\\xff\\xfe", b"1"), ("null", b""))
    assert all(record.timestamp_ms > 1_700_000_000_000 for record in first)
    assert [record.offset for record in read if record.partition == 1] == list(range(6))


class _NoText(str):
    """A header name whose bytes are no UTF-8, as other languages' clients can send them."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff\xfe"


async def _send_raw(bootstrap: str, topic: str, compression: int) -> None:
    builder = _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, 0, 100_000)
    builder.append(0, None, b"k", b"before", [])
    builder.append(1, None, b"k", b"bad", [(_NoText("x"), b"1"), ("null", None)])
    builder.append(2, None, None, b"behind", [])
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        batch = producer.create_batch()
        batch.append(timestamp=None, key=b"k", value=b"", headers=[])
        batch._builder = builder
        batch._relative_offset = 3
        await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await producer.stop()


async def test_a18_position_before_the_retained_records_is_an_error_and_no_silent_jump(
    log: LogMesh, kafka: str
) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await send_all(transport, _records(topic, 5))
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    try:
        await client.delete_records({ClientTopicPartition(topic, 0): RecordsToDelete(before_offset=3)})
    finally:
        await client.close()
    reader = await log.reader(transport, topic, 1)

    with pytest.raises(OffsetOutOfRangeError):
        await reader.read(10, 10.0)

    part = TopicPartition(topic, 0)
    reach = (await log.admin.offsets([part]))[part]
    assert (reach.beginning, reach.end) == (3, 5)
    await reader.assign({})
    await reader.assign({part: reach.beginning})
    assert [record.offset for record in await read_until(reader, 2)] == [3, 4]


async def test_a20_p8_closing_in_front_of_a_silent_broker_takes_bounded_time(
    own_log: LogMesh, own_server: KafkaServer
) -> None:
    topic = await own_log.topic(partitions=1)
    transport = await own_log.open()
    await own_log.reader(transport, topic, 1)
    await send_all(transport, _records(topic, 1))

    own_server.pause()
    try:
        sending = asyncio.create_task(transport.send(_records(topic, 1)))
        await asyncio.sleep(0)
        async with asyncio.timeout(15):
            await transport.aclose()
            (result,) = await sending
    finally:
        own_server.resume()

    assert isinstance(result, TransportError)


async def test_a21_lag_is_told_by_the_admin(log: LogMesh) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await send_all(transport, _records(topic, 5))
    part = TopicPartition(topic, 0)
    await (await log.reader(transport, topic, 1)).commit({part: 2})

    end = (await log.admin.offsets([part]))[part].end
    committed = (await log.admin.committed(log.group, [part]))[part]

    assert end - committed == 3


async def test_p2_p10_batch_the_broker_refuses_is_taken_apart_and_later_sends_go_through(log: LogMesh) -> None:
    topic = await log.topic(partitions=1, max_message_bytes="2000")
    transport = await log.open(compression=None)
    records = [
        OutgoingRecord(topic=topic, key=b"k", value=b"%d" % n + b"x" * (5000 if n in {3, 17} else 10))
        for n in range(30)
    ]

    results = await transport.send(records)
    again = await transport.send(_records(topic, 1))

    refused = [n for n, result in enumerate(results) if isinstance(result, RecordRefusedError)]
    assert refused == [3, 17]
    assert isinstance(again[0], Sent)
    read = await read_until(await log.reader(transport, topic, 1), 29)
    assert [record.value for record in read[:28]] == [
        record.value for n, record in enumerate(records) if n not in refused
    ]


async def test_record_without_a_key_is_refused_alone_by_a_compacted_topic(log: LogMesh) -> None:
    topic = await log.topic(partitions=1, cleanup_policy="compact")
    transport = await log.open()
    records = _records(topic, 5)
    records[2] = OutgoingRecord(topic=topic, key=None, value=b"no key", partition=0)

    results = await transport.send(records)

    assert [type(result) for result in results] == [Sent, Sent, RecordRefusedError, Sent, Sent]


async def test_p3_p4_unacknowledged_record_is_an_unknown_outcome_in_time_and_so_is_what_waits_behind_it(
    own_log: LogMesh, own_server: KafkaServer
) -> None:
    topic = await own_log.topic(partitions=1)
    transport = await own_log.open(max_batch_bytes=100)
    await send_all(transport, _records(topic, 1))

    own_server.pause()
    try:
        async with asyncio.timeout(15):
            results = await transport.send(_records(topic, 6))
    finally:
        own_server.resume()

    assert all(isinstance(result, TransportError) and result.retryable for result in results)
    await _eventually(lambda: send_all(transport, _records(topic, 1)))


async def test_p5_order_and_acknowledged_records_survive_crashes_of_the_broker(
    own_log: LogMesh, own_server: KafkaServer
) -> None:
    topic = await own_log.topic(partitions=2)
    transport = await own_log.open(delivery_timeout_seconds=20.0, request_timeout_seconds=20.0)
    reader = await own_log.reader(transport, topic, 2)
    numbers = iter(range(1_000_000))
    acknowledged: list[int] = []
    stopping = asyncio.Event()

    async def keep_sending() -> None:
        while not stopping.is_set():
            number = next(numbers)
            record = OutgoingRecord(topic=topic, key=b"%d" % (number % 5), value=b"%d" % number)
            (result,) = await transport.send([record])
            if isinstance(result, Sent):
                acknowledged.append(number)

    sending = asyncio.create_task(keep_sending())
    for _ in range(2):
        before = len(acknowledged)
        await _until(lambda: len(acknowledged) > before + 200)  # noqa: B023 - awaited before the next round
        own_server.kill()
        await asyncio.to_thread(own_server.start)
    after = len(acknowledged)
    await _until(lambda: len(acknowledged) > after + 200)
    stopping.set()
    await sending

    by_key: dict[bytes | None, list[int]] = {}
    missing = set(acknowledged)
    async with asyncio.timeout(60):
        while missing:
            for record in await _eventually(lambda: reader.read(500, 1.0)):
                by_key.setdefault(record.key, []).append(int(record.value or b""))
                missing.discard(int(record.value or b""))
    for values in by_key.values():
        firsts = list(dict.fromkeys(values))
        assert firsts == sorted(firsts)


async def test_p7_dead_sending_task_is_replaced_by_the_next_send(log: LogMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await send_all(transport, _records(topic, 1))
    accumulator = transport._producers._current._message_accumulator  # type: ignore[attr-defined]
    monkeypatch.setattr(accumulator, "drain_by_nodes", _broken)

    failed = await transport.send(_records(topic, 1))
    healed = await transport.send(_records(topic, 1))

    assert isinstance(failed[0], TransportError)
    assert isinstance(healed[0], Sent)


def _broken(**_: Any) -> None:
    raise RuntimeError("broken on purpose")


async def test_p9_compressed_batches_are_read_by_a_plain_client(log: LogMesh, kafka: str) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"x" * 100_000)])

    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
    finally:
        await consumer.stop()

    assert record.value == b"x" * 100_000


async def test_foreign_record_with_a_null_header_is_read(log: LogMesh, kafka: str) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"v", headers=[("h", None)])
    finally:
        await producer.stop()

    (record,) = await read_until(await log.reader(transport, topic, 1), 1)

    assert record.headers == (("h", b""),)


async def test_unreachable_broker_is_named_within_the_start_up_time(ns: str) -> None:
    address = "127.0.0.1:1"

    async with asyncio.timeout(8), _mesh(address, ns, **_QUICK) as mesh:
        with pytest.raises(UnreachableError, match=address):
            await mesh.open()
        with pytest.raises(UnreachableError, match=address):
            await mesh.admin.topics()


async def test_first_of_several_addresses_may_be_dead(kafka: str, ns: str) -> None:
    async with _mesh(f"127.0.0.1:1, {kafka}", ns) as mesh:
        topic = await mesh.topic(partitions=1)

        await send_all(await mesh.open(), _records(topic, 1))


async def test_broker_that_creates_topics_by_itself_is_never_made_to(ns: str, kafka: str) -> None:
    async with (
        KafkaServer(settings={"auto.create.topics.enable": "true"}) as server,
        _mesh(server.bootstrap, ns, **_QUICK) as mesh,
    ):
        missing = TopicPartition(f"{ns}.missing", 0)
        transport = await mesh.open()
        reader = await transport.reader(mesh.group)

        results = await transport.send(_records(missing.topic, 1))
        with pytest.raises(MissingTopicError):
            await reader.assign({missing: 0})
        offsets = await mesh.admin.offsets([missing])

        assert isinstance(results[0], RecordRefusedError)
        assert offsets == {}
        assert missing.topic not in await mesh.admin.topics()


async def test_deleted_topic_fails_sends_in_time_and_is_then_refused(log: LogMesh, kafka: str) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await send_all(transport, _records(topic, 1))
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    try:
        await client.delete_topics([topic])
    finally:
        await client.close()

    async with asyncio.timeout(20):
        first = await transport.send(_records(topic, 1))
        later = await transport.send(_records(topic, 1))

    assert isinstance(first[0], TransportError)
    assert isinstance(later[0], RecordRefusedError)


async def _eventually(call: Callable[[], Any]) -> Any:
    """Repeat a call while it fails for a reason that passes."""
    async with asyncio.timeout(50):
        while True:
            try:
                return await call()
            except (TransportError, AssertionError):
                await asyncio.sleep(0.05)


async def _read_for_ever(reader: Reader) -> None:
    while True:
        await reader.read(10, 0.5)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)
