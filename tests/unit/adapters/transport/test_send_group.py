from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from agentopic.adapters.transport.send_group import Results, SendGroup
from agentopic.errors import TransportError
from agentopic.ports.transport import OutgoingRecord, Sent


class _Disk:
    """Writes that end when told to."""

    def __init__(self) -> None:
        self.writes: list[list[bytes | None]] = []
        self.may_end = asyncio.Event()
        self.error: TransportError | None = None

    async def write(self, records: Sequence[OutgoingRecord]) -> Results:
        self.writes.append([record.value for record in records])
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        return [Sent(0, index) for index in range(len(records))]


def _records(*values: bytes) -> list[OutgoingRecord]:
    return [OutgoingRecord(topic="t", key=None, value=value) for value in values]


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_sends_that_come_during_a_write_are_written_together_by_the_next() -> None:
    disk = _Disk()
    group = SendGroup(disk.write)
    first = asyncio.create_task(group.send(_records(b"1")))
    await _settle()
    later = [asyncio.create_task(group.send(_records(b"%d" % n, b"x"))) for n in (2, 3)]
    await _settle()

    disk.may_end.set()
    results = [await task for task in (first, *later)]

    assert disk.writes == [[b"1"], [b"2", b"x", b"3", b"x"]]
    assert [len(result) for result in results] == [1, 2, 2]


async def test_send_cancelled_before_its_write_is_left_out() -> None:
    disk = _Disk()
    group = SendGroup(disk.write)
    first = asyncio.create_task(group.send(_records(b"1")))
    await _settle()
    cancelled = asyncio.create_task(group.send(_records(b"2")))
    kept = asyncio.create_task(group.send(_records(b"3")))
    await _settle()

    cancelled.cancel()
    disk.may_end.set()
    await asyncio.wait([first, kept])

    assert disk.writes == [[b"1"], [b"3"]]


async def test_failed_write_fails_every_record_of_it_and_the_next_goes_on() -> None:
    disk = _Disk()
    disk.may_end.set()
    group = SendGroup(disk.write)
    disk.error = TransportError("disk full")
    failed = await group.send(_records(b"1", b"2"))
    disk.error = None

    later = await group.send(_records(b"3"))

    assert failed == [disk.error or failed[0]] * 2
    assert later == [Sent(0, 0)]


async def test_fault_of_the_program_leaves_nobody_waiting() -> None:
    async def faulty(records: Sequence[OutgoingRecord]) -> Results:
        raise LookupError(records[0].value)

    loop_errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: loop_errors.append(context))
    group = SendGroup(faulty)

    with pytest.raises(asyncio.CancelledError):
        await group.send(_records(b"1"))
