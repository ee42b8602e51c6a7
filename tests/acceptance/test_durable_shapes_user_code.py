"""What user code does around its waits: catches, groups, leaves tasks behind, cancels itself; nothing is corrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agentopic.agentchat.messages import TextMessage
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.agentchat.tools import AgentTool, TeamTool
from agentopic.core import MessageContext, TopicId, ask
from agentopic.core.tools import FunctionTool
from agentopic.errors import Reject, RetryLater, TurnClosedError
from agentopic.testing import Aftermath, FakeClock, MemoryMesh, crash_everywhere, expect

from .shapes import TASK, Messages, Outside, Said, Task, desk, until

UNKNOWN = "The outcome of this call is unknown"
CATCHES: dict[str, type[BaseException]] = {"Exception": Exception, "BaseException": BaseException}


def told(text: str) -> Messages:
    return [TextMessage(content=text, source="test")]


# ── catching ───────────────────────────────────────────────────────────────────────────────────────────────


def asking_tool(outside: Outside, caught: list[str], what: type[BaseException]) -> FunctionTool:
    async def permit(item: str) -> str:
        try:
            return f"person says {await ask('May I?')}"
        except what as exc:
            caught.append(type(exc).__name__)
            return "nobody said anything"
        finally:
            await outside.do("permit")

    return FunctionTool(permit, description="asks", name="permit", effect="pure")


def in_a_tool(outside: Outside, caught: list[str], what: type[BaseException]) -> Awaitable[Any]:
    tool = asking_tool(outside, caught, what)
    return outside.agent("clerk", [("c1", "permit", '{"item": "x"}')], tools=[tool]).run(task="go")


def in_an_agent_tool(outside: Outside, caught: list[str], what: type[BaseException]) -> Awaitable[Any]:
    tool = asking_tool(outside, caught, what)
    helper = outside.agent("helper", [("c1", "permit", '{"item": "x"}')], tools=[tool])
    call = [("c1", "helper", '{"task": "help"}')]
    return outside.agent("clerk", call, tools=[AgentTool(helper, return_value_as_last_message=True)]).run(task="go")


def in_a_nested_team(outside: Outside, caught: list[str], what: type[BaseException]) -> Awaitable[Any]:
    tool = asking_tool(outside, caught, what)
    helper = outside.agent("helper", [("c1", "permit", '{"item": "x"}')], tools=[tool])
    inner = RoundRobinGroupChat([helper], max_turns=1, name="inner")
    return RoundRobinGroupChat([outside.agent("clerk", "go on"), inner], max_turns=2).run(task="go")


def in_a_team_tool(outside: Outside, caught: list[str], what: type[BaseException]) -> Awaitable[Any]:
    tool = asking_tool(outside, caught, what)
    helper = outside.agent("helper", [("c1", "permit", '{"item": "x"}')], tools=[tool])
    team = TeamTool(RoundRobinGroupChat([helper], max_turns=1), "team", "helps", return_value_as_last_message=True)
    return outside.agent("clerk", [("c1", "team", '{"task": "help"}')], tools=[team]).run(task="go")


PLACES = {"tool": in_a_tool, "AgentTool": in_an_agent_tool, "nested team": in_a_nested_team, "TeamTool": in_a_team_tool}


@pytest.mark.parametrize("catch", CATCHES)
@pytest.mark.parametrize("place", PLACES)
async def test_catching_around_a_wait_does_not_keep_a_turn_from_being_put_away_and_gone_on_with(
    place: str, catch: str
) -> None:
    outside, caught, attempts = Outside(), list[str](), list[int]()

    async def program(_task: Task, _ctx: MessageContext) -> Messages:
        attempts.append(1)
        return (await PLACES[place](outside, caught, CATCHES[catch])).messages

    async with MemoryMesh(clock=FakeClock()) as mesh:
        await mesh.run(desk(program))
        await mesh.publish(*TASK[0])
        question = await mesh.question("desk")
        await mesh.pass_time(3600)
        await mesh.answer(question, "yes")
        await mesh.idle()
        said = expect(mesh.events("said")).exactly(1).one(Said)

    assert said.last == "person says yes"
    assert "Exception" not in caught
    assert outside.done["clerk"] == 1
    assert outside.done["helper"] == (0 if place == "tool" else 1)
    assert not mesh.dead_letters("desk")
    assert len(attempts) == 2


@pytest.mark.parametrize("catch", CATCHES)
def test_catching_around_calls_loses_and_repeats_nothing_at_a_crash(catch: str) -> None:
    outside = Outside()

    async def program(_task: Task, _ctx: MessageContext) -> Messages:
        texts = list[str]()
        for name in ("one", "two"):
            try:
                texts.append((await outside.agent(name, name).run(task="go")).messages[-1].to_text())
            except CATCHES[catch] as exc:
                texts.append(repr(exc))
        return told(" ".join(texts))

    def check(after: Aftermath) -> None:
        assert expect(after.events("said")).exactly(1).one(Said).last == "one two"
        assert all(outside.done[name] <= 1 + after.open_calls[name] for name in ("one", "two"))

    crash_everywhere(desk(program), TASK, check, reset=outside.reset)


# ── tasks ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_goes_on_after_its_turn_calls_nobody_and_is_told_so() -> None:
    outside, over = Outside(), asyncio.Event()
    left = dict[str, asyncio.Task[Any]]()

    async def later(work: Callable[[], Awaitable[Any]]) -> Any:
        await over.wait()
        return await work()

    async def program(_task: Task, ctx: MessageContext) -> Messages:
        clerk = outside.agent("clerk", "late")
        tool = outside.tool("look")
        team = RoundRobinGroupChat([outside.agent("one", "late")], max_turns=1)
        work: dict[str, Callable[[], Awaitable[Any]]] = {
            "agent": lambda: clerk.run(task="go"),
            "tool": lambda: tool.run_json({"item": "x"}, ctx.cancellation_token),
            "team": lambda: team.run(task="go"),
            "question": lambda: ask("Late?"),
        }
        left.update({name: asyncio.create_task(later(each)) for name, each in work.items()})
        return told("done")

    async with MemoryMesh() as mesh:
        await mesh.run(desk(program))
        await mesh.publish(*TASK[0])
        await mesh.idle()
        over.set()
        ends = dict(zip(left, await asyncio.gather(*left.values(), return_exceptions=True), strict=True))
        await mesh.idle()
        expect(mesh.events("said")).exactly(1)

    assert {name: isinstance(end, TurnClosedError) for name, end in ends.items() if name != "team"} == {
        "agent": True, "tool": True, "question": True,
    }  # fmt: skip
    assert "TurnClosedError" in repr(ends["team"])
    assert not outside.done


@pytest.mark.parametrize("grouped", ["gather", "TaskGroup"])
def test_agents_asked_side_by_side_are_told_apart_by_their_places(grouped: str) -> None:
    outside, texts = Outside(), set[str]()

    async def program(_task: Task, _ctx: MessageContext) -> Messages:
        runs = [outside.agent(name, name).run(task="go") for name in ("one", "two", "three")]
        if grouped == "gather":
            results = await asyncio.gather(*runs)
        else:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(run) for run in runs]
            results = [task.result() for task in tasks]
        return told(" ".join(result.messages[-1].to_text() for result in results))

    def check(after: Aftermath) -> None:
        texts.add(expect(after.events("said")).exactly(1).one(Said).last)
        assert all(outside.done[name] <= 1 + after.open_calls[name] for name in outside.done)

    crash_everywhere(desk(program), TASK, check, reset=outside.reset)

    assert texts == {"one two three"}


@pytest.mark.parametrize("how", ["handler", "tool", "team"])
async def test_who_cancels_itself_fails_alone_and_wedges_no_lane(how: str) -> None:
    outside = Outside()

    async def give_up() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)
        return "not cancelled"

    def clerk(text: str) -> Any:
        async def quit_(item: str) -> str:
            return await give_up() if text == "cancel" else "stays"

        tool = FunctionTool(quit_, description="quits", name="quit")
        return outside.agent("clerk", [("c1", "quit", '{"item": "x"}')], tools=[tool])

    async def program(task: Task, _ctx: MessageContext) -> Messages:
        if how == "tool":
            return (await clerk(task.text).run(task="go")).messages
        if how == "team":
            return (await RoundRobinGroupChat([clerk(task.text)], max_turns=1).run(task="go")).messages
        return told(await give_up() if task.text == "cancel" else "stays")

    async with MemoryMesh() as mesh:
        await mesh.run(desk(program))
        for text in ("cancel", "stay"):
            await mesh.publish(Task(text=text), TopicId("task", "ann"))
        await mesh.idle()
        *before, said = expect(mesh.events("said")).at_least(1).payloads(Said)

    assert said.last == "stays"
    if how == "handler":
        assert not before
        assert len(mesh.dead_letters("desk")) == 1
    else:  # the call broke off: what it has done is unknown, and the model is told
        assert [UNKNOWN in each.last for each in before] == [True]


# ── steering words ─────────────────────────────────────────────────────────────────────────────────────────


def steering(outside: Outside, how: str, error: Callable[[], Exception]) -> Awaitable[Any]:
    async def look(item: str) -> str:
        await outside.do("look")
        raise error()

    tools = [FunctionTool(look, description="looks", name="look", effect="pure")]
    clerk = outside.agent("clerk", [("c1", "look", '{"item": "x"}')], tools=tools)
    if how == "agent":
        return clerk.run(task="go")
    return RoundRobinGroupChat([clerk], max_turns=1).run(task="go")


@pytest.mark.parametrize("how", ["agent", "team"])
async def test_a_tool_that_rejects_ends_the_delivery_at_once(how: str) -> None:
    outside = Outside()

    async def program(_task: Task, _ctx: MessageContext) -> Messages:
        return (await steering(outside, how, lambda: Reject("no"))).messages

    async with MemoryMesh() as mesh:
        await mesh.run(desk(program))
        await mesh.publish(*TASK[0])
        await mesh.idle()

    assert [each.reason for each in mesh.dead_letters("desk")] == ["Reject"]
    assert outside.done == {"clerk": 1, "look": 1}


@pytest.mark.parametrize("how", ["agent", "team"])
async def test_a_tool_that_wants_to_be_called_later_is_called_later_and_the_model_not_asked_again(how: str) -> None:
    outside = Outside()

    async def program(_task: Task, _ctx: MessageContext) -> Messages:
        return (await steering(outside, how, lambda: RetryLater("busy", 3600))).messages

    async with MemoryMesh(clock=FakeClock()) as mesh:
        await mesh.run(desk(program))
        await mesh.publish(*TASK[0])
        await mesh.pass_time(3500)
        before = dict(outside.done)
        await mesh.pass_time(200)
        await until(lambda: outside.done["look"] == 2, "it is called again")

    assert before == {"clerk": 1, "look": 1}
    assert outside.done == {"clerk": 1, "look": 2}
