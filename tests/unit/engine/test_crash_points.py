"""A process is ended at every point of its turns in turn; the next one finishes: nothing is lost, nothing is twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any

from agentopic import AgentService
from agentopic.core import AgentId, MessageContext, TypeSubscription, step
from agentopic.testing import Aftermath, crash_everywhere, crash_point, expect

from .town import Note, Resident, topic

KEYS = ("a", "b", "c")
NOTES = 9


class Till:
    """The outside world: how often each payment was begun."""

    def __init__(self) -> None:
        self.begun = Counter[int]()

    async def handle(self, agent: Resident, message: Note, ctx: MessageContext) -> None:
        async def pay() -> int:
            self.begun[message.number] += 1
            await crash_point("paid")
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


async def _oracle(agent: Resident, message: Note, ctx: MessageContext) -> Note:
    return Note(number=message.number * 2)


def service(name: str, handler: Any, *subscriptions: TypeSubscription) -> AgentService:
    return AgentService(name, partial(Resident, handler), subscriptions=subscriptions, payloads=[Note])


def test_a_process_ended_at_any_point_loses_nothing_and_repeats_nothing() -> None:
    till = Till()
    clerk = service("clerk", till.handle, TypeSubscription("clerk", "clerk"))
    events = [(Note(number=number), topic("clerk", KEYS[number % len(KEYS)])) for number in range(NOTES)]

    def check(after: Aftermath) -> None:
        out = expect(after.events("out")).of_type(Note).from_agent("clerk").exactly(NOTES).payloads(Note)
        assert {note.number: int(note.text) for note in out} == {n: n // 3 + 1 for n in range(NOTES)}
        assert till.begun.total() - NOTES <= after.open_calls["pay"], "paid twice"

    points = crash_everywhere(
        [clerk, service("oracle", _oracle)], events, check, reset=till.begun.clear, topics=["out"]
    )

    # How many there are depends on what is written together; far fewer would mean that little is tried.
    assert len(points) >= 60
