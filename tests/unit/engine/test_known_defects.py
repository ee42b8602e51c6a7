"""Defects of AutoGen's distributed runtime that users reported: each by its name, absent on a durable runtime."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from agentopic.core import AgentId, CancellationToken, FunctionCall, MessageContext, RoutedAgent, event
from agentopic.core.models import CreateResult, FunctionExecutionResultMessage, ModelInfo, RequestUsage, UserMessage
from agentopic.core.tool_agent import (
    InvalidToolArgumentsException,
    ToolAgent,
    ToolException,
    ToolExecutionException,
    ToolNotFoundException,
    tool_agent_caller_loop,
)
from agentopic.core.tools import FunctionTool
from agentopic.engine.hosting import Hosting
from agentopic.errors import RequestError
from agentopic.ext.models.replay import ReplayChatCompletionClient

from .town import Note, Resident, Town

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, family="x", structured_output=True)


@dataclass
class NeverRegistered:
    text: str


async def test_an_error_with_empty_text_reaches_the_caller_with_its_class(town: Town):
    async def fail(agent: Resident, message: Note, ctx: MessageContext) -> None:
        raise ValueError

    runtime = town.runtime()
    await town.settle(runtime, "clerk", fail)
    await runtime.start()

    with pytest.raises(RequestError, match="ValueError"):
        await runtime.send_message(Note(), AgentId("clerk", "k"))


async def test_a_reply_of_a_class_nobody_registered_reaches_the_caller(town: Town):
    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> Any:
        return NeverRegistered(text="here")

    runtime = town.runtime()
    await town.settle(runtime, "clerk", answer)
    await runtime.start()

    assert await runtime.send_message(Note(), AgentId("clerk", "k")) == NeverRegistered(text="here")


class Listener(RoutedAgent):
    """Has no handler for requests."""

    @event
    async def on_note(self, message: Note, ctx: MessageContext) -> None: ...


async def test_a_request_to_an_agent_that_only_listens_comes_to_an_end(town: Town):
    runtime = town.runtime()
    runtime.host_as("listener", Hosting(state="none"))
    await Listener.register(runtime, "listener", lambda: Listener("listens"))
    await runtime.start()

    async with asyncio.timeout(10):
        assert await runtime.send_message(Note(), AgentId("listener", "k")) is None


def half(number: int) -> float:
    return 1 / number / 2


async def with_tools(town: Town) -> tuple[Any, Any]:
    """A process that has the tools, and another one that calls them."""
    owner, caller = town.runtime(), town.runtime()
    owner.host_as("tools", Hosting(state="none"))
    await ToolAgent.register(owner, "tools", lambda: ToolAgent("d", [FunctionTool(half, description="d")]))
    await owner.start()
    await caller.start()
    return owner, caller


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("nope", "{}", ToolNotFoundException),
        ("half", "{", InvalidToolArgumentsException),
        ("half", '{"number": 0}', ToolExecutionException),
    ],
)
async def test_an_error_of_a_tool_agent_is_itself_in_another_process(
    town: Town, name: str, arguments: str, kind: type[ToolException]
):
    _, caller = await with_tools(town)

    with pytest.raises(kind) as raised:
        await caller.send_message(FunctionCall("7", arguments, name), AgentId("tools", "k"))

    assert (raised.value.call_id, raised.value.name) == ("7", name)


async def test_the_loop_around_a_tool_agent_tells_the_model_of_errors_in_another_process(town: Town):
    _, caller = await with_tools(town)
    calls = [FunctionCall("1", '{"number": 0}', "half"), FunctionCall("2", '{"number": 1}', "half")]
    asked = CreateResult(
        finish_reason="function_calls", content=calls, usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
        cached=False,
    )  # fmt: skip
    client = ReplayChatCompletionClient([asked, "done"], ABLE)

    generated = await tool_agent_caller_loop(
        caller,
        AgentId("tools", "k"),
        client,
        [UserMessage(content="halve", source="user")],
        [FunctionTool(half, description="d")],
        CancellationToken(),
    )

    results = next(each for each in generated if isinstance(each, FunctionExecutionResultMessage)).content
    assert [(each.call_id, each.is_error) for each in results] == [("1", True), ("2", False)]
    assert "division by zero" in results[0].content
    assert generated[-1].content == "done"
