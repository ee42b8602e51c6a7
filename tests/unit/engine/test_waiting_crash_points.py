"""A process is ended at every point of turns that wait; the next one finishes: nothing is lost, nothing is twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from agentopic.core import AgentId, MessageContext, step
from agentopic.engine.runtime import EngineRuntime

from .doomed import Doom, DoomedJournal, DoomedTransport, note_owner
from .faulty_journal import FaultyJournal
from .town import Note, Resident, Town, topic

NEVER = 1_000_000
BATCH = 20
KINDS = ("sleeps", "asks", "requests", "all at once")


class Till:
    """The outside world: how often each payment was begun, and what was asked."""

    def __init__(self) -> None:
        self.begun = Counter[str]()

    async def handle(self, agent: Resident, message: Note, ctx: MessageContext) -> None:
        async def pay(part: str) -> str:
            self.begun[f"{message.text} {part}"] += 1
            return part

        async def ask_oracle() -> int:
            answer = await agent.send_message(Note(number=4), AgentId("oracle", message.text))
            return answer.number

        await step("pay", lambda: pay("before"), given="before", repeatable=True)
        match message.text:
            case "sleeps":
                heard: Any = await ctx.sleep(0.01)
            case "asks":
                heard = await ctx.ask("How much?")
            case "requests":
                heard = await ask_oracle()
            case _:
                heard = await asyncio.gather(ctx.sleep(0.01), ctx.ask("How much?"), ask_oracle())
        await step("pay", lambda: pay("after"), given="after", repeatable=True)
        await agent.publish_message(Note(text=f"{message.text}: {heard}"), topic("out", agent.id.key))


async def _oracle(agent: Resident, message: Note, ctx: MessageContext) -> Note:
    return Note(number=message.number * 2)


async def _staff(town: Town, runtime: EngineRuntime, till: Till) -> None:
    await town.settle(runtime, "clerk", till.handle)
    await town.settle(runtime, "oracle", _oracle)


async def _answer_everything(person: EngineRuntime) -> None:
    """Answer every question there is, each time it is seen: answering again is harmless."""
    while True:
        for question in await person.control.questions(["clerk"]):
            await person.control.answer(question.id, question.agent, 7)
        await asyncio.sleep(0.02)


async def _live_and_die(town: Town, till: Till, at: int) -> int:
    """Run a process that is ended at a point, bury it; return the points it passed."""
    doom = Doom(at)
    with doom.owning():
        runtime = town.runtime(
            journal=DoomedJournal(town.store, doom), transport=DoomedTransport(town.log, doom), partitions=2
        )
        await _staff(town, runtime, till)
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
    return doom.passed


async def _bury_the_dead(town: Town) -> None:
    journal = FaultyJournal(town.store)
    me = await journal.join([], "undertaker")
    for peer in await journal.peers(me):
        await journal.bury(me, peer)
    await journal.leave(me)


async def _crash(at: int) -> int:
    """End a process at a point, let the next one finish, check what the world has seen; return the points passed."""
    till, town = Till(), Town()
    town.create("topic.out", "topic.clerk", "agent.clerk", "agent.oracle", "control.clerk", "control.oracle", "runs")
    person = town.runtime()
    await person.start()
    for text in KINDS:
        await person.publish_message(Note(text=text), topic("clerk", text))
    answering = asyncio.ensure_future(_answer_everything(person))
    passed = await _live_and_die(town, till, at)
    unrecorded = [each.row for turn in town.store.steps.values() for each in turn.values() if each.row.result is None]
    await _bury_the_dead(town)
    heir = town.runtime(partitions=2, request_resend_seconds=0.1)
    await _staff(town, heir, till)
    await heir.start()
    await heir.stop_when_idle()
    answering.cancel()
    await asyncio.wait({answering})
    await person.stop()

    out = {event.id: note.text for event, note in zip(town.events("topic.out"), town.notes("topic.out"), strict=True)}
    expected = ["all at once: [None, 7, 8]", "asks: 7", "requests: 8", "sleeps: None"]
    assert sorted(out.values()) == expected, f"at point {at}"
    repaid = till.begun.total() - 2 * len(KINDS)
    assert repaid <= sum(row.name == "pay" for row in unrecorded), f"at point {at}: paid twice"
    assert town.reasons("clerk") == [], f"at point {at}"
    assert not town.store.lanes, f"at point {at}: {town.store.lanes}"
    return passed


async def test_a_process_ended_at_any_point_of_a_wait_loses_nothing_and_repeats_nothing():
    asyncio.get_running_loop().set_task_factory(note_owner)

    points = await _crash(NEVER)

    for first in range(1, points + 1, BATCH):
        async with asyncio.timeout(60):
            await asyncio.gather(*(_crash(at) for at in range(first, min(first + BATCH, points + 1))))

    assert points >= 70
