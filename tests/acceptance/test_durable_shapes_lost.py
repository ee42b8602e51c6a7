"""A process that is stopped in the middle of a call loses its agents: what its code catches then changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agentopic import EngineOptions
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.agentchat.tools import AgentTool
from agentopic.core import MessageContext
from agentopic.core.tools import FunctionTool
from agentopic.engine.runtime import EngineRuntime
from agentopic.testing import expect
from agentopic.testing.landed import Landed
from agentopic.testing.simulation import World, simulate
from agentopic.testing.virtual_loop import owner_of

from .shapes import TASK, Messages, Outside, Said, Task, desk

CALL = [("c1", "look", '{"item": "x"}')]
OPTIONS = EngineOptions(namespace="test", partitions=2, lease_seconds=3.0, drain_seconds=2.0)


def run(where: str, outside: Outside, tool: FunctionTool) -> Awaitable[Any]:
    clerk = outside.agent("clerk", CALL, "seen", tools=[tool], max_tool_iterations=2)
    if where == "agent":
        return clerk.run(task="go")
    if where == "team":
        return RoundRobinGroupChat([clerk], max_turns=1).run(task="go")
    tools = [AgentTool(clerk, return_value_as_last_message=True)]
    return outside.agent("boss", [("h", "clerk", '{"task": "help"}')], tools=tools).run(task="go")


def program_of(
    where: str, caught: type[BaseException], outside: Outside, looking: asyncio.Event
) -> Callable[[Task, MessageContext], Awaitable[Messages]]:
    async def look(item: str) -> str:
        if owner_of.get() == "first":
            looking.set()
            await asyncio.sleep(1)
        await outside.do("look")
        return "seen"

    async def program(_task: Task, _ctx: MessageContext) -> Messages:
        tool = FunctionTool(look, description="looks", name="look", effect="pure")
        try:
            return (await run(where, outside, tool)).messages
        except caught:
            return (await outside.agent("excuse", "sorry").run(task="go")).messages

    return program


async def work(world: World, program: Any) -> None:
    runtime = EngineRuntime(world.mesh(), OPTIONS)
    await desk(program).register(runtime)
    await runtime.start()
    await runtime.stop_when_idle()


@pytest.mark.parametrize("caught", [Exception, BaseException])
@pytest.mark.parametrize("where", ["agent", "team", "AgentTool"])
def test_who_has_lost_a_turn_says_nothing_more_whatever_it_catches(where: str, caught: type[BaseException]) -> None:
    outside = Outside()

    async def play(world: World) -> Landed:
        looking = asyncio.Event()
        program = program_of(where, caught, outside, looking)
        owner = EngineRuntime(world.mesh(), OPTIONS)
        await desk(program).register(owner)
        world.log.create(owner.topics_plan())
        client = EngineRuntime(world.mesh(), OPTIONS)
        await client.start()
        await client.publish_message(*TASK[0])
        first = world.spawn("first", work(world, program))
        await looking.wait()
        world.loop.freeze("first")
        await world.spawn("second", work(world, program))
        world.loop.thaw("first")
        await first
        return Landed(world.log, "test")

    landed = simulate(7, play)

    assert expect(landed.events("said")).exactly(1).one(Said).last == "seen"
    assert not landed.dead_letters("desk")
    assert "excuse" not in outside.done
    assert outside.done["clerk"] == 2
