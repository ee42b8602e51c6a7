"""People inside durable turns: approvals, proxies, questions of nested teams; through restarts and new versions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agentopic import AgentService, DurableRuntime
from agentopic.agentchat.agents import UserProxyAgent
from agentopic.agentchat.approval import ApprovalPolicy, ApprovalRule, ApprovalWorkbench
from agentopic.agentchat.base import TaskResult
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.agentchat.tools import AgentTool, TeamTool
from agentopic.core import MessageContext, RoutedAgent, TypeSubscription, message_handler
from agentopic.core.tools import StaticWorkbench
from agentopic.engine.control_client import OpenQuestion
from agentopic.testing import Aftermath, FakeClock, MemoryMesh, crash_everywhere, expect

from .shapes import TASK, Messages, Outside, Said, Task, desk

POLICY = ApprovalPolicy(
    rules=[
        ApprovalRule(decision="allow", tool="look"),
        ApprovalRule(decision="deny", tool="pay", arguments={"item": "gold"}, reason="no gold"),
        ApprovalRule(decision="ask", tool="pay", reason="it is money"),
    ],
    default="deny",
)
CALLS = [
    ("c1", "look", '{"item": "lamp"}'),
    ("c2", "pay", '{"item": "lamp"}'),
    ("c3", "pay", '{"item": "gold"}'),
    ("c4", "pay", '{"item": "chair"}'),
    ("c5", "steal", '{"item": "lamp"}'),
]
TOOLS = ("look", "pay", "steal")
Shape = Callable[[Outside], Awaitable[TaskResult]]


async def governed_agent(outside: Outside) -> TaskResult:
    tools = [outside.tool(name, effect="idempotent") for name in TOOLS]
    return await outside.agent("clerk", CALLS, tools=tools, tool_approval=POLICY).run(task="go")


async def governed_workbench(outside: Outside) -> TaskResult:
    workbench = ApprovalWorkbench(StaticWorkbench([outside.tool(name, effect="idempotent") for name in TOOLS]), POLICY)
    return await outside.agent("clerk", CALLS, workbench=workbench).run(task="go")


async def governed_helper(outside: Outside) -> TaskResult:
    tools = [outside.tool(name, effect="idempotent") for name in TOOLS]
    helper = outside.agent("helper", CALLS, tools=tools, tool_approval=POLICY)
    tool = AgentTool(helper, return_value_as_last_message=True)
    return await outside.agent("clerk", [("h", "helper", '{"task": "help"}')], tools=[tool]).run(task="go")


async def governed_team(outside: Outside) -> TaskResult:
    tools = [outside.tool(name, effect="idempotent") for name in TOOLS]
    clerk = outside.agent("clerk", CALLS, tools=tools, tool_approval=POLICY)
    inner = RoundRobinGroupChat([clerk], max_turns=1, name="inner")
    return await RoundRobinGroupChat([inner], max_turns=1).run(task="go")


GOVERNED = {each.__name__: each for each in (governed_agent, governed_workbench, governed_helper, governed_team)}


def program(shape: Shape, outside: Outside) -> Callable[[Task, MessageContext], Awaitable[Messages]]:
    async def run(_task: Task, _ctx: MessageContext) -> Messages:
        return (await shape(outside)).messages

    return run


def word(question: dict[str, Any]) -> str:
    """Allow the lamp, refuse the rest."""
    return "allow" if question["details"]["arguments"]["item"] == "lamp" else "deny: not that"


@pytest.mark.parametrize("name", GOVERNED)
def test_a_policy_holds_wherever_the_process_dies_and_each_question_is_asked_once(name: str) -> None:
    outside, asked = Outside(), set[str]()

    def answer(question: dict[str, Any]) -> str:
        asked.add(str(question["details"]))
        return word(question)

    def reset() -> None:
        outside.reset()
        asked.clear()

    def check(after: Aftermath) -> None:
        said = expect(after.events("said")).exactly(1).one(Said).last.splitlines()
        refused = "The call of {} was refused and has not been made: {}"
        assert said[-5:] == [
            "look lamp",
            "pay lamp",
            refused.format("pay", "no gold"),
            refused.format("pay", "not that"),
            refused.format("steal", "it is not allowed here"),
        ]
        assert outside.done["pay"] <= 1 + after.open_calls["pay"]
        assert not outside.done["steal"]
        assert len(asked) == 2

    crash_everywhere(desk(program(GOVERNED[name], outside)), TASK, check, reset=reset, answer=answer)


async def proxy_in_a_team(outside: Outside) -> TaskResult:
    return await RoundRobinGroupChat([outside.agent("clerk", "Tea?"), UserProxyAgent("ann")], max_turns=2).run(
        task="go"
    )


async def proxy_in_a_nested_team(outside: Outside) -> TaskResult:
    inner = RoundRobinGroupChat([outside.agent("clerk", "Tea?"), UserProxyAgent("ann")], max_turns=2, name="inner")
    return await RoundRobinGroupChat([outside.agent("boss", "ask her"), inner], max_turns=2).run(task="go")


async def proxy_behind_tools(outside: Outside) -> TaskResult:
    inner = RoundRobinGroupChat([outside.agent("clerk", "Tea?"), UserProxyAgent("ann")], max_turns=2)
    tool = TeamTool(inner, "helper", "helps", return_value_as_last_message=True)
    return await outside.agent("boss", [("h", "helper", '{"task": "ask"}')], tools=[tool]).run(task="go")


PROXIES = {each.__name__: each for each in (proxy_in_a_team, proxy_in_a_nested_team, proxy_behind_tools)}


@pytest.mark.parametrize("name", PROXIES)
def test_a_person_in_a_team_is_heard_once_wherever_the_process_dies(name: str) -> None:
    outside = Outside()

    def check(after: Aftermath) -> None:
        assert expect(after.events("said")).exactly(1).one(Said).last == "yes, tea"
        assert all(outside.done[name] <= 1 + after.open_calls[name] for name in ("clerk", "boss"))

    crash_everywhere(
        desk(program(PROXIES[name], outside)), TASK, check, reset=outside.reset, answer=lambda _question: "yes, tea"
    )


@pytest.mark.parametrize("name", PROXIES)
async def test_a_question_of_a_nested_team_comes_up_to_the_inbox_and_waits_without_end(name: str) -> None:
    outside = Outside()
    async with MemoryMesh(clock=FakeClock()) as mesh:
        await mesh.run(desk(program(PROXIES[name], outside)))
        await mesh.publish(*TASK[0])
        question = await mesh.question("desk")
        await mesh.pass_time(366 * 86_400)
        (same,) = [await mesh.question("desk")]
        await mesh.answer(question, "yes, tea")
        await mesh.answer(question, "no, coffee")
        await mesh.idle()
        said = expect(mesh.events("said")).exactly(1).one(Said)

    assert same.id == question.id
    assert (question.note["text"], question.note["details"]["agent"]) == ("Tea?", "ann")
    assert said.last == "yes, tea"
    assert outside.done["clerk"] == 1


async def questions(runtime: DurableRuntime) -> list[OpenQuestion]:
    return list(await runtime.control.questions(["desk"]))


async def process(url: str, shape: Shape, outside: Outside) -> DurableRuntime:
    runtime = DurableRuntime(url, url, namespace="shop", partitions=2)
    await desk(program(shape, outside)).register(runtime)
    await runtime.start()
    return runtime


class Ear(RoutedAgent):
    """Notes what was said."""

    def __init__(self, said: list[Said]) -> None:
        super().__init__("listens")
        self._said = said

    @message_handler
    async def on_said(self, message: Said, ctx: MessageContext) -> None:
        self._said.append(message)


async def heard(url: str) -> list[Said]:
    """All that was said, from the beginning."""
    said: list[Said] = []
    runtime = DurableRuntime(url, url, namespace="shop", partitions=2)
    subscriptions = [TypeSubscription("said", "ear")]
    await AgentService("ear", lambda: Ear(said), subscriptions=subscriptions, stateless=True).register(runtime)
    await runtime.start()
    await runtime.stop_when_idle()
    return said


async def test_a_question_waits_through_a_deployment_of_new_code_and_is_answered_from_another_process(
    tmp_path: Path,
) -> None:
    old, new, url = Outside(), Outside(), f"sqlite:///{tmp_path}/mesh.db"

    async def new_version(outside: Outside) -> TaskResult:
        result = await proxy_in_a_nested_team(outside)
        return await outside.agent("thanks", "thank you").run(task=result.messages[-1].to_text())

    first = await process(url, proxy_in_a_nested_team, old)
    await first.publish_message(*TASK[0])
    found: list[OpenQuestion] = []
    while not found:
        found = await questions(first)
    await first.stop()

    person = DurableRuntime(url, url, namespace="shop", partitions=2)
    await person.start()
    (asked,) = await questions(person)
    await person.control.answer(asked.id, asked.agent, "yes, tea")
    await person.control.answer(asked.id, asked.agent, "no, coffee")
    await person.stop()

    second = await process(url, new_version, new)
    await second.stop_when_idle()

    assert asked.id == found[0].id
    assert old.done == {"boss": 1, "clerk": 1}
    assert new.done == {"thanks": 1}
    (said,) = await heard(url)
    assert [each["content"] for each in said.messages] == ["yes, tea", "thank you"]
