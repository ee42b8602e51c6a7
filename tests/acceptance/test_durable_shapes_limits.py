"""Tools whose results are huge, binary, broken or never come: inside a durable turn each ends in its message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.agentchat.tools import AgentTool
from agentopic.core import CancellationToken, MessageContext
from agentopic.core.tools import FunctionTool, StaticWorkbench, TextResultContent, ToolResult, ToolSchema, Workbench
from agentopic.testing import MemoryMesh, expect

from .shapes import TASK, Messages, Outside, Said, Task, desk

CALL = [("c1", "rough", '{"item": "x"}')]


async def huge(item: str) -> str:
    return "x" * 50_000_000


async def huge_bytes(item: str) -> bytes:
    return bytes(50_000_000)


async def binary(item: str) -> bytes:
    return b"\x00\xff\xfe"


async def half_a_character(item: str) -> str:
    return "a\ud800b"


async def hanging(item: str) -> str:
    return await asyncio.Future()


def hanging_in_a_thread(item: str) -> str:
    time.sleep(1)
    return "late"


async def raising(item: str) -> str:
    raise ValueError("no such item")


async def raising_without_words(item: str) -> str:
    raise KeyError


async def unlike_json(item: str) -> Any:
    return {1: {2, 3}}


ENDS: dict[str, tuple[Callable[..., Any], str, bool]] = {
    "huge": (huge, "the result of tool 'rough' has 50000000 characters, more than the 1000000 that are shown", True),
    "huge bytes": (huge_bytes, "more than the 1000000 that are shown", True),
    "binary": (binary, r"b'\x00\xff\xfe'", False),
    "half a character": (half_a_character, "a?b", False),
    "hanging": (hanging, "tool 'rough' did not end within 0.2 s", True),
    "hanging in a thread": (hanging_in_a_thread, "tool 'rough' did not end within 0.2 s", True),
    "raising": (raising, "no such item", True),
    "raising without words": (raising_without_words, "KeyError", True),
    "unlike JSON": (unlike_json, "{1: {2, 3}}", False),
}
WHERE = ("agent", "workbench", "AgentTool", "team")


def run(where: str, outside: Outside, function: Callable[..., Any]) -> Awaitable[Any]:
    tool = FunctionTool(function, description="is rough", name="rough", timeout_seconds=0.2)
    if where == "workbench":
        return outside.agent("clerk", CALL, workbench=StaticWorkbench([tool])).run(task="go")
    clerk = outside.agent("clerk", CALL, tools=[tool])
    if where == "agent":
        return clerk.run(task="go")
    if where == "team":
        return RoundRobinGroupChat([clerk], max_turns=1).run(task="go")
    call = [("h", "clerk", '{"task": "help"}')]
    tools = [AgentTool(clerk, return_value_as_last_message=True)]
    return outside.agent("boss", call, tools=tools).run(task="go")


def flags(said: Said) -> list[bool]:
    """Which results of the tool were errors."""
    events = [each for each in said.messages if each["type"] == "ToolCallExecutionEvent"]
    return [result["is_error"] for event in events for result in event["content"] if result["name"] == "rough"]


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("where", WHERE)
async def test_a_rough_tool_ends_in_its_message_on_every_attempt(where: str, name: str) -> None:
    function, text, is_error = ENDS[name]
    outside, attempts = Outside(), list[list[dict[str, Any]]]()

    async def program(_task: Task, _ctx: MessageContext) -> Messages:
        messages = (await run(where, outside, function)).messages
        attempts.append([dict(each.dump()) for each in messages])
        return messages

    async with MemoryMesh() as mesh:
        await mesh.run(desk(program, fails=1))
        await mesh.publish(*TASK[0])
        await mesh.idle()
        said = expect(mesh.events("said")).exactly(1).one(Said)

    assert text in said.last
    assert len(said.last) < 1_000
    assert flags(said) == [is_error]
    assert attempts[0] == attempts[1]
    assert outside.done["clerk"] == 1


class RoughWorkbench(Workbench):
    """Of somebody else, without any care."""

    component_provider_override = "tests.RoughWorkbench"
    timeout_seconds = 0.2

    def __init__(self, how: str) -> None:
        self._how = how

    async def list_tools(self) -> list[ToolSchema]:
        return [ToolSchema(name="rough", description="is rough")]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        if self._how == "hanging":
            await asyncio.Future()
        return ToolResult(name=name, result=[TextResultContent(content="x" * 50_000_000)])

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def reset(self) -> None: ...
    async def save_state(self) -> Mapping[str, Any]:
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None: ...


@pytest.mark.parametrize(("how", "text"), [("hanging", "did not end within 0.2 s"), ("huge", "50000000 characters")])
async def test_a_rough_workbench_ends_in_its_message_on_every_attempt(how: str, text: str) -> None:
    outside = Outside()

    async def program(_task: Task, _ctx: MessageContext) -> Messages:
        return (await outside.agent("clerk", CALL, workbench=RoughWorkbench(how)).run(task="go")).messages

    async with MemoryMesh() as mesh:
        await mesh.run(desk(program, fails=1))
        await mesh.publish(*TASK[0])
        await mesh.idle()
        said = expect(mesh.events("said")).exactly(1).one(Said)

    assert text in said.last
    assert flags(said) == [True]
