"""A process is ended at every point of its turns in turn; the next one finishes: nothing is lost, nothing is twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from agentopic.core import AgentId, MessageContext, step
from agentopic.engine.runtime import EngineRuntime

from .doomed import Doom, DoomedJournal, DoomedTransport, note_owner
from .faulty_journal import FaultyJournal
from .town import Note, Resident, Town, topic

KEYS = ("a", "b", "c")
NOTES = 9
NEVER = 1_000_000
BATCH = 20


class Till:
    """The outside world: how often each payment was begun."""

    def __init__(self) -> None:
        self.begun = Counter[int]()

    def handler(self, doom: Doom | None) -> Any:
        async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
            async def pay() -> int:
                self.begun[message.number] += 1
                if doom is not None:
                    await doom.point()
                return message.number

            async def check() -> int:
                return message.number

            paid = await step("pay", pay, given=message.number, repeatable=True)
            if message.number % 3 == 0:
                await asyncio.gather(*(step("check", check, repeatable=True) for _ in range(2)))
            if message.number == 4:
                answer = await agent.send_message(Note(number=4), AgentId("oracle", "k"))
                assert answer.number == 8
            await agent.publish_message(Note(number=paid, text=str(agent.turns)), topic("out", agent.id.key))

        return handle


async def _oracle(agent: Resident, message: Note, ctx: MessageContext) -> Note:
    return Note(number=message.number * 2)


async def _staff(town: Town, runtime: EngineRuntime, till: Till, doom: Doom | None) -> None:
    await town.settle(runtime, "clerk", till.handler(doom))
    await town.settle(runtime, "oracle", _oracle)


async def _live_and_die(town: Town, till: Till, at: int) -> Doom:
    """Run a process that is ended at a point; return what it came to."""
    doom = Doom(at)
    with doom.owning():
        runtime = town.runtime(
            journal=DoomedJournal(town.store, doom), transport=DoomedTransport(town.log, doom), partitions=2
        )
        await _staff(town, runtime, till, doom)
        await runtime.start()
        doom.armed = True
        working = asyncio.ensure_future(runtime.stop_when_idle())
    ended = asyncio.ensure_future(doom.died.wait())
    await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        life = runtime._life.host
        incarnation = None if life is None else life.incarnation
        if incarnation is not None:
            incarnation._heartbeat._stop.set()
        await doom.cut_off()
    ended.cancel()
    return doom


async def _bury_the_dead(town: Town) -> None:
    journal = FaultyJournal(town.store)
    me = await journal.join([], "undertaker")
    for peer in await journal.peers(me):
        await journal.bury(me, peer)
    await journal.leave(me)


async def _crash(at: int) -> int:
    """End a process at a point, let the next one finish, check what the world has seen; return the points passed."""
    till, town = Till(), Town()
    town.create("topic.out", "topic.clerk", "agent.clerk", partitions=2)
    publisher = town.runtime()
    await publisher.start()
    for number in range(NOTES):
        await publisher.publish_message(Note(number=number), topic("clerk", KEYS[number % len(KEYS)]))
    doom = await _live_and_die(town, till, at)
    unrecorded = [each.row for turn in town.store.steps.values() for each in turn.values() if each.row.result is None]
    await _bury_the_dead(town)
    heir = town.runtime(partitions=2)
    await _staff(town, heir, till, None)
    await heir.start()
    await heir.stop_when_idle()

    out = {event.id: note for event, note in zip(town.events("topic.out"), town.notes("topic.out"), strict=True)}
    assert sorted(note.number for note in out.values()) == list(range(NOTES)), f"at point {at}"
    assert {note.number: int(note.text) for note in out.values()} == {n: n // 3 + 1 for n in range(NOTES)}
    assert till.begun.total() - NOTES <= sum(row.name == "pay" for row in unrecorded), f"at point {at}: paid twice"
    assert not town.store.unfinished
    assert town.reasons("clerk") == []
    assert not town.store.lanes, f"at point {at}: {town.store.lanes}"
    return doom.passed


async def test_a_process_ended_at_any_point_loses_nothing_and_repeats_nothing():
    asyncio.get_running_loop().set_task_factory(note_owner)

    points = await _crash(NEVER)

    for first in range(1, points + 1, BATCH):
        async with asyncio.timeout(30):
            await asyncio.gather(*(_crash(at) for at in range(first, min(first + BATCH, points + 1))))

    # How many there are depends on what is written together; far fewer would mean that little is tried.
    assert points >= 70
