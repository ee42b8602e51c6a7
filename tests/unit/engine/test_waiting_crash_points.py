"""A process is ended at every point of turns that wait; the next one finishes: nothing is lost, nothing is twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any

from agentopic import AgentService
from agentopic.core import AgentId, MessageContext, TypeSubscription, step
from agentopic.testing import Aftermath, crash_everywhere, expect

from .town import Note, Resident, topic

KINDS = ("sleeps", "asks", "requests", "all at once")


class Till:
    """The outside world: how often each payment was begun."""

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


def test_a_process_ended_at_any_point_of_a_wait_loses_nothing_and_repeats_nothing() -> None:
    till = Till()
    clerk = AgentService(
        "clerk", partial(Resident, till.handle), subscriptions=[TypeSubscription("clerk", "clerk")], payloads=[Note]
    )
    oracle = AgentService("oracle", partial(Resident, _oracle), payloads=[Note])

    def check(after: Aftermath) -> None:
        out = expect(after.events("out")).exactly(len(KINDS)).payloads(Note)
        expected = ["all at once: [None, 7, 8]", "asks: 7", "requests: 8", "sleeps: None"]
        assert sorted(note.text for note in out) == expected
        assert till.begun.total() - 2 * len(KINDS) <= after.open_calls["pay"], "paid twice"

    points = crash_everywhere(
        [clerk, oracle],
        [(Note(text=kind), topic("clerk", kind)) for kind in KINDS],
        check,
        reset=till.begun.clear,
        answer=lambda _: 7,
        topics=["out"],
    )

    assert len(points) >= 60
