"""Limits: running turns, stored work, bytes read; what is never held back goes on beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agentopic.adapters.transport.memory import MemoryReader, MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.core import AgentId, MessageContext
from agentopic.engine.partitions import READ_RECORDS, ReadSize
from agentopic.ports.transport import Record

from .town import Note, Resident, Town, seeing, topic, until


class MeteredTransport(MemoryTransport):
    """Notes how many bytes each read returns."""

    def __init__(self, log: MemoryLog) -> None:
        super().__init__(log)
        self.reads = list[int]()

    async def reader(self, group: str) -> MemoryReader:
        reader = await super().reader(group)
        read = reader.read

        async def metered(max_records: int, timeout_seconds: float) -> Sequence[Record]:
            records = await read(max_records, timeout_seconds)
            if records and records[0].topic.endswith(".topic.clerk"):
                self.reads.append(sum(len(each.value or b"") for each in records))
            return records

        reader.read = metered  # type: ignore[method-assign]  # pyright: ignore[reportAttributeAccessIssue]
        return reader


async def test_no_more_turns_run_at_once_than_allowed(town: Town):
    running, most = set[str](), list[int]()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        running.add(agent.id.key)
        most.append(len(running))
        await asyncio.sleep(0.001)
        running.discard(agent.id.key)

    runtime = town.runtime(max_concurrent_agents=7)
    await town.settle(runtime, "clerk", work)
    await runtime.start()

    for number in range(100):
        await runtime.publish_message(Note(), topic("clerk", f"k{number}"))
    await runtime.stop_when_idle()

    assert max(most) == 7
    assert len(most) == 100


async def test_bytes_read_and_not_yet_stored_stay_within_the_buffer(town: Town):
    seen, limit = list[Note](), 100_000
    transport = MeteredTransport(town.log)
    runtime = town.runtime(transport=transport, message_buffer_bytes=limit, max_event_bytes=20_000)
    town.create("topic.clerk")
    await town.settle(runtime, "clerk", seeing(seen))

    writer = town.runtime()
    await writer.start()
    for number in range(200):
        await writer.publish_message(Note(number=number, text="x" * 9_000), topic("clerk", f"k{number}"))
    await runtime.start()
    await runtime.stop_when_idle()

    assert len(seen) == 200
    assert max(transport.reads) <= limit
    assert max(transport.reads) > limit / 2, "the buffer is used"


def test_small_records_are_read_by_the_hundred_once_they_are_known_to_be_small():
    size, small = ReadSize(10 * 1024 * 1024, 1024 * 1024), _record(100)

    first = size.records
    for _ in range(10):
        size.note([small])

    assert (first, size.records) == (10, READ_RECORDS)


def test_one_record_is_read_even_if_it_fills_the_buffer():
    size = ReadSize(1024, 1024 * 1024)

    size.note([_record(500_000)])

    assert size.records == 1


async def test_a_full_queue_holds_back_neither_replies_nor_control(town: Town):
    let_go, asked = asyncio.Event(), list[str]()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        if agent.id.key == "asker":
            asked.append((await agent.send_message(Note(), AgentId("oracle", "k"))).text)
        await let_go.wait()

    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        await until(lambda: len(town.store.unfinished) >= 8, "the queue is full")
        return Note(text="heard")

    runtime, other = town.runtime(message_queue_size=5, max_concurrent_agents=2), town.runtime()
    await town.settle(runtime, "clerk", work)
    await town.settle(other, "oracle", answer)
    await other.start()
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk", "asker"))
    for number in range(50):
        await runtime.publish_message(Note(), topic("clerk", f"k{number}"))
    await runtime.control.pause(AgentId("clerk", "paused"))
    await until(lambda: any(lane.paused for lane in town.store.lanes.values()), "control is applied")
    await until(lambda: _has_answer(town), "the reply is stored, though its turn has no slot to go on in")
    stored = len(town.store.unfinished)
    let_go.set()
    await runtime.stop_when_idle()

    assert asked == ["heard"]
    assert stored < 50


def _has_answer(town: Town) -> bool:
    return any(step.row.result is not None for steps in town.store.steps.values() for step in steps.values())


def _record(size: int) -> Record:
    return Record(topic="t", partition=0, offset=0, timestamp_ms=0, key=None, value=b"x" * size)
