"""What intake has decoded is used for exactly the row it was stored as, within its bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentopic.core import AgentId, TopicId
from agentopic.engine import partitions
from agentopic.engine.delivery import Delivery, read_delivery
from agentopic.engine.kept_deliveries import KEEP_SECONDS, KeptDeliveries
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record, encode
from agentopic.ports.journal import Incoming, Started
from agentopic.ports.transport import Record

from .hand_clock import HandClock
from .town import Note, Town, seeing, topic, until

ROOM = 1 << 20


def delivery(number: int, *, text: str = "first") -> Delivery:
    event = Envelope(
        id=str(number),
        source="/outside",
        type="town.Note.v1",
        subject="key",
        datacontenttype="application/json",
        data=text.encode(),
    )
    message = encode(event)
    record = Record(
        topic="ns.topic.orders",
        partition=0,
        offset=number,
        timestamp_ms=1_700_000_000_000,
        key=b"key",
        value=message.value,
        headers=message.headers,
    )
    envelope = decode_record(record.headers, record.value)
    return Delivery(agent=AgentId("clerk", "key"), topic=TopicId("orders", "key"), envelope=envelope, record=record)


def decoded(*deliveries: Delivery) -> list[tuple[Incoming, Delivery]]:
    return [(each.incoming("ns.clerk"), each) for each in deliveries]


def started(stored: Delivery) -> Started:
    incoming = stored.incoming("ns.clerk")
    return Started(
        lane=incoming.lane,
        group=incoming.group,
        key=incoming.key,
        token=1,
        pos=1,
        identity=incoming.identity,
        head=bytes(bytearray(incoming.head)),
        body=incoming.body,
    )


def test_a_kept_delivery_is_what_its_row_says():
    kept, stored = KeptDeliveries(ROOM, HandClock()), delivery(1)

    kept.put(decoded(stored))
    taken = kept.take(started(stored))

    assert taken is stored
    assert taken == read_delivery(started(stored))


def test_a_later_attempt_is_read_from_its_row():
    kept, stored = KeptDeliveries(ROOM, HandClock()), delivery(1)
    kept.put(decoded(stored))

    kept.take(started(stored))
    again = kept.take(started(stored))

    assert again == stored
    assert again is not stored
    assert len(kept) == 0


def test_a_row_with_other_bytes_under_the_same_identity_counts():
    kept, mine, theirs = KeptDeliveries(ROOM, HandClock()), delivery(1), delivery(1, text="second")
    kept.put(decoded(mine))

    taken = kept.take(started(theirs))

    assert started(mine).identity == started(theirs).identity
    assert taken == theirs


def test_a_row_with_another_head_under_the_same_identity_counts():
    kept, mine = KeptDeliveries(ROOM, HandClock()), delivery(1)
    theirs = replace(mine, record=replace(mine.record, offset=77))
    kept.put(decoded(mine))

    taken = kept.take(started(theirs))

    assert taken.record.offset == 77


def test_a_repeat_does_not_take_the_place_of_what_came_first():
    kept, first, repeat = KeptDeliveries(ROOM, HandClock()), delivery(1), delivery(1, text="second")

    kept.put(decoded(first, repeat))

    assert kept.take(started(first)) is first


def test_without_room_those_that_came_first_stay():
    kept, deliveries = KeptDeliveries(8_000, HandClock()), [delivery(number) for number in range(10)]

    had_room = kept.put(decoded(*deliveries))

    assert not had_room
    assert 0 < len(kept) < 10
    assert kept.take(started(deliveries[0])) is deliveries[0]
    assert kept.take(started(deliveries[9])) == deliveries[9]


def test_what_nobody_came_for_makes_room():
    clock = HandClock()
    kept = KeptDeliveries(8_000, clock)
    kept.put(decoded(*(delivery(number) for number in range(10))))
    late = delivery(11)

    clock.seconds += KEEP_SECONDS
    had_room = kept.put(decoded(late))

    assert had_room
    assert len(kept) == 1
    assert kept.take(started(late)) is late


def test_where_nothing_runs_nothing_is_kept_and_nobody_waits_for_room():
    kept = KeptDeliveries(0, HandClock())

    had_room = kept.put(decoded(delivery(1)))

    assert had_room
    assert len(kept) == 0


async def test_what_a_stopped_life_had_kept_is_not_used_by_the_next(town: Town):
    seen: list[Note] = []
    idle, busy = town.runtime(max_concurrent_agents=0), town.runtime()
    await town.settle(idle, "clerk", seeing(seen))
    await idle.start()
    await idle.publish_message(Note(number=1), topic("clerk"))
    await idle.stop_when_stored()
    await idle.stop()

    await town.settle(busy, "clerk", seeing(seen))
    await busy.start()
    await busy.stop_when_idle()

    assert [note.number for note in seen] == [1]


async def test_all_is_handled_when_nothing_can_be_kept(town: Town):
    seen: list[Note] = []
    runtime = town.runtime(message_buffer_bytes=1)
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()

    for number in range(5):
        await runtime.publish_message(Note(number=number), topic("clerk"))
    await runtime.stop_when_idle()

    assert [note.number for note in seen] == [0, 1, 2, 3, 4]


async def test_reading_does_not_pause_while_all_that_is_stored_has_begun(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(partitions, "PAUSE_SECONDS", 60.0)
    seen = list[Note]()
    runtime = town.runtime(message_buffer_bytes=1)
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()

    for number in range(3):
        await runtime.publish_message(Note(number=number), topic("clerk", str(number)))
        await until(lambda expected=number: len(seen) > expected, "it is read and handled")

    assert [note.number for note in seen] == [0, 1, 2]
