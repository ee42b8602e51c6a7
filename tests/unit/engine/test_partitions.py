"""Partitions: what was read is stored, or read again; limits; where a new agent type begins."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from agentopic.core import MessageContext
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import encode
from agentopic.envelope.kafka_topics import topic_events
from agentopic.errors import ConfigError, MissingTopicError, ValueRefusedError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord

from .faulty_journal import FaultyJournal
from .town import NS, Note, Resident, Town, nothing, seeing, topic, until


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_batch_whose_intake_broke_is_read_again(town: Town, when: Literal["before", "after"]):
    journal, seen = FaultyJournal(town.store), list[Note]()
    runtime = town.runtime(journal=journal)
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()

    journal.break_next("intake", when)
    for number in range(5):
        await runtime.publish_message(Note(number=number), topic("clerk"))
    await runtime.stop_when_idle()

    assert [note.number for note in seen] == [0, 1, 2, 3, 4]
    assert journal.broken("intake")


async def test_records_behind_a_refused_one_are_kept_when_another_partition_moved_on(town: Town):
    journal, seen = FaultyJournal(town.store), list[Note]()
    runtime = town.runtime(journal=journal, partitions=2)
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()

    journal.break_next("intake", "before", ValueRefusedError("not this batch"))
    await runtime.mesh.transport.send([_record(number) for number in range(8)])
    await runtime.stop_when_idle()

    assert sorted(note.number for note in seen) == list(range(8))
    assert journal.broken("intake")


def _record(number: int) -> OutgoingRecord:
    event = Envelope(
        id=f"n{number}",
        source="/tests",
        type="town.Note.v1",
        subject=f"k{number}",
        datacontenttype="application/json",
        data=Note(number=number).model_dump_json().encode(),
    )
    message = encode(event, key=f"k{number}".encode())
    name = topic_events(NS, "clerk")
    return OutgoingRecord(topic=name, key=message.key, value=message.value, headers=message.headers)


async def test_a_full_queue_is_not_read_further(town: Town):
    let_go, running = asyncio.Event(), list[int]()

    async def wait(_: Resident, message: Note, __: MessageContext) -> None:
        running.append(message.number)
        await let_go.wait()

    runtime = town.runtime(message_queue_size=10, max_concurrent_agents=2)
    await town.settle(runtime, "clerk", wait)
    await runtime.start()

    for number in range(50):
        await runtime.publish_message(Note(number=number), topic("clerk", f"k{number}"))
    await until(lambda: len(town.store.unfinished) >= 12, "the queue is full")
    await asyncio.sleep(0.3)
    stored = len(town.store.unfinished)
    let_go.set()
    await runtime.stop_when_idle()

    assert stored == 10 + 2, "stored and not yet started, beside those that run"
    assert sorted(running) == list(range(50))


async def test_a_first_start_before_a_long_history_asks_where_to_begin(town: Town):
    town.create("topic.clerk", "agent.clerk")
    publisher = town.runtime()
    await publisher.start()
    for number in range(1001):
        await publisher.publish_message(Note(number=number), topic("clerk", str(number)))
    runtime = town.runtime()
    await town.settle(runtime, "clerk", nothing)

    with pytest.raises(ConfigError, match="1001 unread records"):
        await runtime.start()
    await runtime.stop()

    assert not town.store.unfinished


async def test_registration_begins_behind_what_is_there(town: Town):
    town.create("topic.clerk")
    publisher, seen = town.runtime(), list[Note]()
    await publisher.start()
    await publisher.publish_message(Note(text="old"), topic("clerk"))
    runtime = town.runtime()
    await town.settle(runtime, "clerk", seeing(seen), start_from="registration")
    await runtime.start()

    await publisher.publish_message(Note(text="new"), topic("clerk"))
    await runtime.stop_when_idle()

    assert [note.text for note in seen] == ["new"]


async def test_a_topic_found_after_the_first_start_is_read_from_its_beginning(town: Town):
    seen = list[Note]()
    first = town.runtime()
    await town.settle(first, "clerk", nothing, start_from="registration")
    await first.start()
    await first.stop()
    town.log.create([TopicSpec(name=topic_events(NS, "clerk:late"), partitions=2)])
    publisher = town.runtime()
    await publisher.start()
    await publisher.publish_message(Note(text="meanwhile"), topic("clerk:late"))

    second = town.runtime()
    await town.settle(second, "clerk", seeing(seen), start_from="registration")
    await second.start()
    await second.stop_when_idle()

    assert [note.text for note in seen] == ["meanwhile"]


async def test_missing_topics_stop_the_start_when_they_are_only_verified(town: Town):
    runtime = town.runtime(topics="verify")
    await town.settle(runtime, "clerk", nothing)

    with pytest.raises(MissingTopicError, match="topics apply"):
        await runtime.start()


async def test_two_processes_share_the_partitions_and_a_stopped_one_leaves_them(town: Town):
    seen = list[Note]()
    runtimes = [town.runtime(lease_seconds=1.0) for _ in range(2)]
    for runtime in runtimes:
        await town.settle(runtime, "clerk", seeing(seen))
        await runtime.start()
    await until(lambda: len({mark.owner for mark in town.store.marks.values()}) == 2, "both hold partitions")

    for number in range(20):
        await runtimes[0].publish_message(Note(number=number), topic("clerk", f"k{number}"))
    await runtimes[0].stop()
    await runtimes[1].stop_when_idle()

    assert sorted(note.number for note in seen) == list(range(20))
