"""A publish that leaves at once: before the turn commits, whatever it ends with, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest

from agentopic import AgentService
from agentopic.adapters.blobs.memory import MemoryBlobs
from agentopic.core import MessageContext, SingleThreadedAgentRuntime, TypeSubscription
from agentopic.errors import TurnClosedError
from agentopic.testing import Aftermath, crash_everywhere

from .town import Note, Resident, Town, seeing, topic, until


async def started(town: Town, handler: Any, **hosting: Any) -> Any:
    runtime = town.runtime()
    town.create("topic.out")
    await town.settle(runtime, "clerk", handler, **hosting)
    await runtime.start()
    return runtime


def texts(town: Town) -> list[str]:
    return [each.text for each in town.notes("topic.out")]


async def test_it_is_out_before_its_turn_has_ended(town: Town):
    gate = asyncio.Event()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(Note(text="later"), topic("out"))
        await agent.publish_message(Note(text="now"), topic("out"), now=True)
        await gate.wait()

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: texts(town) == ["now"], "it is out")

    gate.set()
    await runtime.stop_when_idle()

    assert texts(town) == ["now", "later"]


async def test_it_has_left_also_when_its_turn_fails_and_is_not_sent_anew_by_later_attempts(town: Town):
    attempts = list[int]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        await agent.publish_message(Note(text="later"), topic("out"))
        await agent.publish_message(Note(text="now"), topic("out"), now=True)
        raise ValueError("no")

    runtime = await started(town, handle)

    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert len(attempts) == 3
    assert texts(town) == ["now"]


async def test_equal_messages_of_one_turn_are_told_apart(town: Town):
    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        for _ in range(2):
            await agent.publish_message(Note(text="now"), topic("out"), now=True)

    runtime = await started(town, handle)

    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert len({each.id for each in town.events("topic.out")}) == 2


async def test_it_belongs_to_its_turn_like_any_other_output(town: Town):
    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        for now in (True, False):
            await agent.publish_message(Note(text="both"), topic("out"), now=now)

    runtime = await started(town, handle)

    await runtime.publish_message(Note(), topic("clerk"), message_id="root")
    await runtime.stop_when_idle()

    first, second = town.events("topic.out")
    assert (first.correlationid, first.causationid) == ("root", "root")
    assert first.replace(id=second.id, time=second.time) == second


async def test_what_an_earlier_turn_of_the_agent_has_published_comes_first(town: Town):
    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(message, topic("out"), now=bool(message.number % 2))

    runtime = await started(town, handle)

    for number in range(20):
        await runtime.publish_message(Note(number=number), topic("clerk"))
    await runtime.stop_when_idle()

    assert [each.number for each in town.notes("topic.out")] == list(range(20))


async def test_outside_of_turns_everything_leaves_at_once(town: Town):
    runtime = await started(town, seeing([]))

    await runtime.publish_message(Note(text="outside"), topic("out"), now=True)

    assert texts(town) == ["outside"]


async def test_a_turn_that_has_ended_sends_nothing(town: Town):
    agents = list[Resident]()
    refused = asyncio.Event()

    async def late(agent: Resident, ended: asyncio.Event) -> None:
        await ended.wait()
        with pytest.raises(TurnClosedError):
            await agent.publish_message(Note(), topic("out"), now=True)
        refused.set()

    ended = asyncio.Event()
    tasks = list[asyncio.Task[None]]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        agents.append(agent)
        tasks.append(asyncio.create_task(late(agent, ended)))

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: not town.store.lanes and bool(tasks), "the turn has ended")
    ended.set()
    await refused.wait()

    assert texts(town) == []


async def test_the_runtime_in_one_process_knows_it(town: Town):
    seen, runtime = list[Note](), SingleThreadedAgentRuntime()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(Note(text="now"), topic("out"), now=True)

    for name, handler in (("clerk", handle), ("out", seeing(seen))):
        await Resident.register(runtime, name, partial(Resident, handler))
        await runtime.add_subscription(TypeSubscription(name, name))
    runtime.start()

    await runtime.publish_message(Note(), topic("clerk"), now=True)
    await runtime.stop_when_idle()

    assert [each.text for each in seen] == ["now"]


def test_a_process_ended_at_any_point_sends_it_under_one_id() -> None:
    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(Note(text="now", number=message.number), topic("out"), now=True)
        await agent.publish_message(Note(text="later", number=message.number), topic("out"))

    clerk = AgentService(
        "clerk", partial(Resident, handle), subscriptions=[TypeSubscription("clerk", "clerk")], payloads=[Note]
    )

    def check(after: Aftermath) -> None:
        notes = {each.id: Note.model_validate_json(each.data or b"") for each in after.events("out")}
        assert sorted(_parts(notes.values())) == [(number, text) for number in (0, 1) for text in ("later", "now")]

    crash_everywhere([clerk], [(Note(number=number), topic("clerk")) for number in (0, 1)], check, topics=["out"])


def _parts(notes: Iterable[Note]) -> list[tuple[int, str]]:
    return [(each.number, each.text) for each in notes]


async def test_large_messages_are_told_apart_when_branches_run_in_another_order(town: Town):
    attempts = [["a" * 4096], ["b" * 4096, "a" * 4096]]

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        order = attempts.pop(0)
        for text in order:
            await agent.publish_message(Note(text=text), topic("out"), now=True)
        if attempts:
            raise ValueError("once more")

    seen = list[Note]()
    runtime = town.runtime(blobs=MemoryBlobs(), blob_bytes=2048)
    await town.settle(runtime, "clerk", handle)
    await town.settle(runtime, "out", seeing(seen))
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert [each.text[0] for each in seen] == ["a", "b"]
