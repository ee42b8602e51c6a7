from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentopic.adapters.transport.sqlite import SqliteAdmin, SqliteTransport
from agentopic.adapters.transport.sqlite_gate import Gate
from agentopic.adapters.transport.sqlite_session import SqliteTransportOptions
from agentopic.errors import TransportError, UnreachableError
from agentopic.ports.transport import OutgoingRecord, Sent
from agentopic.testing.log_mesh import LogMesh, read_until, send_all

_SENDER = """
import asyncio, sys
from pathlib import Path
from agentopic.adapters.transport.sqlite import SqliteTransport
from agentopic.adapters.transport.sqlite_session import SqliteTransportOptions
from agentopic.ports.transport import OutgoingRecord

async def main(path, topic, name, count):
    transport = SqliteTransport(SqliteTransportOptions(path=Path(path)))
    await transport.start()
    for number in range(int(count)):
        value = f"{name}.{number}".encode()
        (place,) = await transport.send([OutgoingRecord(topic=topic, key=name.encode(), value=value)])
        print(place.partition, place.offset, flush=True)
    await transport.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def log(tmp_path: Path, ns: str) -> AsyncIterator[LogMesh]:
    options = SqliteTransportOptions(path=tmp_path / "log.db", poll_seconds=30.0)
    async with LogMesh(ns, lambda: SqliteTransport(options), lambda: SqliteAdmin(options)) as mesh:
        yield mesh


async def _sender(path: Path, topic: str, name: str, count: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SENDER, str(path), topic, name, str(count), stdout=asyncio.subprocess.PIPE
    )


async def test_record_of_another_process_wakes_a_reader_that_does_not_poll(log: LogMesh, tmp_path: Path) -> None:
    topic = await log.topic(partitions=1)
    reader = await log.reader(await log.open(), topic, 1)

    async with asyncio.timeout(20):
        waiting = asyncio.create_task(reader.read(10, 25.0))
        process = await _sender(tmp_path / "log.db", topic, "other", 1)
        records = await waiting
        await process.communicate()

    assert [record.value for record in records] == [b"other.0"]


async def test_a_record_of_its_topic_wakes_a_reader_that_does_not_poll(
    log: LogMesh,
) -> None:
    mine, other = await log.topic(partitions=1), await log.topic(partitions=1, name="other")
    transport = await log.open()
    reader = await log.reader(transport, mine, 1)

    async with asyncio.timeout(20):
        waiting = asyncio.create_task(reader.read(10, 25.0))
        await asyncio.sleep(0)
        await send_all(transport, [OutgoingRecord(topic=other, key=b"k", value=b"other")])
        await send_all(transport, [OutgoingRecord(topic=mine, key=b"k", value=b"mine")])
        records = await waiting

    assert [record.value for record in records] == [b"mine"]


async def test_processes_that_write_at_once_lose_nothing_and_keep_their_order(log: LogMesh, tmp_path: Path) -> None:
    topic = await log.topic(partitions=2)
    reader = await log.reader(await log.open(), topic, 2)

    processes = [await _sender(tmp_path / "log.db", topic, f"p{number}", 50) for number in range(3)]
    read = await read_until(reader, 150)
    for process in processes:
        await process.communicate()

    for number in range(3):
        own = [record.value for record in read if record.key == f"p{number}".encode()]
        assert own == [f"p{number}.{n}".encode() for n in range(50)]


async def test_killed_writer_loses_nothing_acknowledged_and_holds_nobody_up(log: LogMesh, tmp_path: Path) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    reader = await log.reader(transport, topic, 1)
    process = await _sender(tmp_path / "log.db", topic, "doomed", 100_000)
    assert process.stdout is not None
    acknowledged = [(await process.stdout.readline()).split() for _ in range(20)]

    process.send_signal(signal.SIGKILL)
    await process.wait()
    rest, _ = await process.communicate()
    acknowledged += [line.split() for line in rest.splitlines() if line.count(b" ") == 1]
    async with asyncio.timeout(10):
        (place,) = await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"after")])

    read = await read_until(reader, place.offset + 1)
    assert len(read) > len(acknowledged) - 1
    assert [record.value for record in read[:-1]] == [b"doomed.%d" % n for n in range(place.offset)]


async def test_listener_that_died_is_struck_out_by_who_sends(log: LogMesh, tmp_path: Path) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    with sqlite3.connect(tmp_path / "log.db") as connection:
        connection.execute("INSERT INTO log_listener VALUES ('dead', 1)")
    connection.close()

    for _ in range(3):
        await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"")])

    assert _listeners(tmp_path / "log.db") == set()


async def test_closed_transport_leaves_the_list_of_listeners(log: LogMesh, tmp_path: Path) -> None:
    topic = await log.topic(partitions=1)
    transport = await log.open()
    await log.reader(transport, topic, 1)
    while_open = _listeners(tmp_path / "log.db")

    await transport.aclose()

    assert len(while_open) == 1
    assert _listeners(tmp_path / "log.db") == set()


def _listeners(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {row[0] for row in connection.execute("SELECT id FROM log_listener")}
    finally:
        connection.close()


async def test_closing_while_another_program_holds_the_gate_takes_bounded_time(tmp_path: Path, ns: str) -> None:
    path = tmp_path / "log.db"
    options = SqliteTransportOptions(path=path, close_timeout_seconds=0.05)
    async with LogMesh(ns, lambda: SqliteTransport(options), lambda: SqliteAdmin(options)) as mesh:
        topic = await mesh.topic(partitions=1)
        transport = await mesh.open()
        gate = Gate(path)
        with gate.held():
            sending = asyncio.create_task(transport.send([OutgoingRecord(topic=topic, key=b"k", value=b"")]))
            await asyncio.sleep(0)

            async with asyncio.timeout(10):
                await transport.aclose()
        gate.close()

        assert isinstance((await sending)[0], Sent)


async def test_two_programs_never_hold_the_gate_at_once(tmp_path: Path) -> None:
    first, second = Gate(tmp_path / "x"), Gate(tmp_path / "x")
    order: list[str] = []

    def take() -> None:
        with second.held():
            order.append("second")

    with first.held():
        taking = asyncio.create_task(asyncio.to_thread(take))
        await asyncio.sleep(0)
        order.append("first")
    await taking

    assert order == ["first", "second"]
    first.close()
    second.close()


async def test_full_disk_is_a_repeatable_error_and_leaves_no_part_of_a_send(
    tmp_path: Path, ns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = SqliteTransportOptions(path=tmp_path / "log.db")
    async with LogMesh(ns, lambda: SqliteTransport(options), lambda: SqliteAdmin(options)) as mesh:
        topic = await mesh.topic(partitions=1)
        transport = await mesh.open()
        with monkeypatch.context() as patched:
            patched.setattr("agentopic.adapters.transport.sqlite_append.pack_headers", _disk_full)
            failed = await transport.send([OutgoingRecord(topic=topic, key=b"k", value=b"lost")])

        sent = await send_all(transport, [OutgoingRecord(topic=topic, key=b"k", value=b"kept")])

    assert isinstance(failed[0], TransportError)
    assert failed[0].retryable
    assert sent == [Sent(0, 0)]


def _disk_full(_: object) -> bytes:
    raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs a path that can never be a directory")
async def test_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    transport = SqliteTransport(SqliteTransportOptions(path=Path("/dev/null/log.db")))
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(os.urandom(4096))
    other = SqliteTransport(SqliteTransportOptions(path=garbage))

    with pytest.raises(UnreachableError, match=r"/dev/null/log\.db"):
        await transport.start()
    with pytest.raises(UnreachableError, match=r"garbage\.db"):
        await other.start()
