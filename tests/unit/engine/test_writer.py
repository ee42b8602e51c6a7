"""The writer: unknown outcomes, refused values, acknowledged rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from agentopic.adapters.journal.memory import MemoryStore
from agentopic.engine.writer import Writer
from agentopic.errors import JournalUnavailableError, LaneLostError, ProcessBuriedError, ValueRefusedError
from agentopic.ports.journal import (
    Holdings,
    Incoming,
    IntakeBatch,
    MarkAdvance,
    OutboxRow,
    Started,
    StepIntent,
    StepResult,
    StoredRow,
    TurnDone,
)
from agentopic.ports.transport import TopicPartition

from .faulty_journal import FaultyJournal, as_journal
from .town import until

PLACE = TopicPartition("t", 0)
ROW = OutboxRow(topic="out", key=b"k", value=b"v")


class Desk:
    """A writer at work, and what it told the others."""

    def __init__(self) -> None:
        self.journal = FaultyJournal(MemoryStore())
        self.adopted = list[Holdings]()
        self.published = list[StoredRow]()
        self.dropped = list[StoredRow]()
        self.over = 0
        self.stored = 0

    async def open(self) -> None:
        self.me = await self.journal.join(["g"], "here")
        self.writer = Writer(
            as_journal(self.journal),
            self.me,
            adopt=self.adopted.append,
            publish=self.published.extend,
            dropped=self.dropped.extend,
            buried=self._buried,
        )
        self.task = asyncio.ensure_future(self.writer.run())

    def _buried(self) -> None:
        self.over += 1

    async def take_in(self, *keys: str) -> Sequence[Started]:
        """Store one delivery for each key and start what is free."""
        known, self.stored = self.stored or None, self.stored + len(keys)
        deliveries = [_incoming(key, f"{known}-{number}") for number, key in enumerate(keys)]
        marks = [MarkAdvance(partition=PLACE, known=known, next=self.stored)]
        batch = IntakeBatch(group="g", marks=marks, deliveries=deliveries, free=99)
        return (await self.journal.intake(self.me, batch)).started


def _incoming(key: str, name: str) -> Incoming:
    identity = f"{key}/{name}".encode().ljust(16, b"-")[:16]
    lane = key.encode().ljust(16, b".")
    return Incoming(lane=lane, group="g", key=key, identity=identity, head=b"{}", body=b"", partition=PLACE)


def _done(started: Started, **more: Any) -> TurnDone:
    pos = started.pos or 0
    return TurnDone(lane=started.lane, token=started.token, pos=pos, identity=started.identity, **more)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    await desk.open()
    yield desk
    desk.task.cancel()
    await asyncio.wait({desk.task})


async def test_rows_of_a_commit_whose_outcome_was_unknown_are_published_and_the_lane_goes_on(desk: Desk):
    (started,) = await desk.take_in("a", "a")
    desk.journal.break_next("commit", "after")

    following = await desk.writer.commit(_done(started, outbox=(ROW,)))

    assert following is not None
    assert following.pos != started.pos
    assert [each.row for each in desk.published] == [ROW]


async def test_a_commit_that_did_not_take_effect_is_made_again(desk: Desk):
    (started,) = await desk.take_in("a")
    desk.journal.break_next("commit", "before")

    following = await desk.writer.commit(_done(started, outbox=(ROW,)))

    assert following is None
    assert [each.row for each in desk.published] == [ROW]
    assert desk.journal.calls.count("commit") == 2


async def test_lanes_of_a_take_whose_outcome_was_unknown_are_adopted(desk: Desk):
    (started,) = await desk.take_in("a", "a")
    await desk.writer.commit(_done(started, hand_back=True))
    desk.journal.break_next("take", "after")

    with pytest.raises(JournalUnavailableError):
        await desk.writer.call(lambda: desk.journal.take(desk.me, {"g": 1}))
    await until(lambda: bool(desk.adopted), "what is held was read back")

    assert [lane.key for holdings in desk.adopted for lane in holdings.lanes] == ["a"]


async def test_a_refused_value_fails_its_turn_alone(desk: Desk):
    lanes = await desk.take_in("a", "b", "c", "d")
    bad = OutboxRow(topic="out\0", key=b"k", value=b"v")

    results = await asyncio.gather(
        *(desk.writer.commit(_done(each, outbox=(bad if each.key == "c" else ROW,))) for each in lanes),
        return_exceptions=True,
    )

    assert [isinstance(each, ValueRefusedError) for each in results] == [False, False, True, False]
    assert len(desk.published) == 3


async def test_acknowledged_rows_are_dropped_even_beside_a_refused_turn(desk: Desk):
    first, second = await desk.take_in("a", "b")
    await desk.writer.commit(_done(first, outbox=(ROW,)))
    desk.writer.sent(desk.published)

    with pytest.raises(ValueRefusedError):
        await desk.writer.commit(_done(second, outbox=(OutboxRow(topic="\0", key=None, value=None),)))
    await until(lambda: bool(desk.dropped), "the row was dropped")

    assert not desk.journal.store.lanes[second.lane].unsent
    assert first.lane not in desk.journal.store.lanes


@pytest.mark.parametrize("fault", [True, False])
async def test_rows_acknowledged_while_others_are_dropped_are_dropped_too(desk: Desk, fault: bool):
    lanes = await desk.take_in("a", "b")
    for each in lanes:
        await desk.writer.commit(_done(each, outbox=(ROW,)))
    first, second = desk.published
    desk.journal.calls.clear()
    desk.journal.held_back.clear()
    if fault:
        desk.journal.break_next("commit", "before")

    desk.writer.sent([first])
    await until(lambda: desk.journal.calls == ["commit"], "the first is being dropped")
    desk.writer.sent([second])
    desk.journal.held_back.set()
    await until(lambda: len(desk.dropped) == 2, "both are dropped")

    assert not desk.journal.store.lanes


async def test_a_group_settled_in_part_before_the_call_broke_is_not_written_twice(desk: Desk):
    lanes = await desk.take_in("a", "b", "a")
    desk.journal.break_next("commit", "before", ValueRefusedError("one of you"))
    commits = [asyncio.ensure_future(desk.writer.commit(_done(each, outbox=(ROW,)))) for each in lanes]
    await until(lambda: desk.journal.broken("commit"), "the group was refused")
    desk.journal.break_next("commit", "after")

    following, nothing = await asyncio.gather(*commits)

    assert (following is not None, nothing) == (True, None)
    assert len({row.id for row in desk.published}) == 2
    assert len(desk.journal.store.unfinished) == 1


async def test_a_lost_lane_fails_its_turn_alone(desk: Desk):
    lanes = await desk.take_in("a", "b")
    desk.journal.store.lanes[lanes[0].lane].token += 1000

    lost, kept = await asyncio.gather(*(desk.writer.commit(_done(each)) for each in lanes), return_exceptions=True)

    assert isinstance(lost, LaneLostError)
    assert kept is None


async def test_steps_survive_a_broken_call(desk: Desk):
    (started,) = await desk.take_in("a")
    turn, key = started.identity, b"k" * 16
    intent = StepIntent(
        lane=started.lane, token=started.token, pos=started.pos or 0, turn=turn, key=key, kind="tool", name="t"
    )
    for call in ("open_steps", "close_steps"):
        desk.journal.break_next(call, "after")

    opened = await desk.writer.open_step(intent)
    closed = await desk.writer.close_step(StepResult(turn=turn, key=key, result=b"1"))
    kept = await desk.writer.close_step(StepResult(turn=turn, key=key, result=b"2"))

    assert opened is not None
    assert (closed.result, kept.result) == (b"1", b"1")


async def test_a_buried_writer_tells_everyone_who_waits(desk: Desk):
    lanes = await desk.take_in("a", "b")
    undertaker = await desk.journal.join([], "undertaker")
    (me,) = await desk.journal.peers(undertaker)
    await desk.journal.bury(undertaker, me)

    results = await asyncio.gather(*(desk.writer.commit(_done(each)) for each in lanes), return_exceptions=True)

    assert all(isinstance(each, ProcessBuriedError) for each in results)
    assert desk.over == 1
    with pytest.raises(ProcessBuriedError):
        await desk.writer.commit(_done(lanes[0]))
