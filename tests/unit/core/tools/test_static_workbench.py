from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentopic.core import CancellationToken
from agentopic.core.tools import BaseTool, FunctionTool, StaticWorkbench, ToolOverride


def add(a: int, b: int) -> int:
    return a + b


def sub(a: int, b: int) -> int:
    return a - b


def workbench() -> StaticWorkbench:
    return StaticWorkbench(
        [FunctionTool(add, description="adds"), FunctionTool(sub, description="subtracts")],
        {"add": ToolOverride(name="plus", description="sums")},
    )


async def test_an_overridden_tool_is_listed_and_called_by_its_new_name() -> None:
    tools = await workbench().list_tools()

    result = await workbench().call_tool("plus", {"a": 1, "b": 2})

    assert [(tool["name"], tool.get("description")) for tool in tools] == [("plus", "sums"), ("sub", "subtracts")]
    assert (result.name, result.to_text(), result.is_error) == ("plus", "3", False)


@pytest.mark.parametrize(("name", "arguments"), [("nope", {}), ("add", {"a": "x", "b": 1})])
async def test_a_call_that_cannot_be_made_is_an_error_result(name, arguments) -> None:
    result = await workbench().call_tool(name, arguments)

    assert result.is_error


@pytest.mark.parametrize("override", ["sub", "plus"])
def test_an_override_must_not_take_a_name_in_use(override) -> None:
    tools: list[BaseTool[Any, Any]] = [FunctionTool(add, description="d"), FunctionTool(sub, description="d")]
    overrides = {"add": ToolOverride(name=override), "other": ToolOverride(name="plus")}

    with pytest.raises(ValueError, match=override):
        StaticWorkbench(tools, overrides)


async def test_a_workbench_is_built_again_from_json() -> None:
    dumped = workbench().dump_component().model_dump(mode="json")

    loaded = StaticWorkbench.load_component(dumped, allow_source_code=True)

    assert (await loaded.call_tool("plus", {"a": 2, "b": 2})).to_text() == "4"


async def test_cancelling_the_token_cancels_the_tool() -> None:
    started = asyncio.Event()

    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    token = CancellationToken()
    call = asyncio.create_task(StaticWorkbench([FunctionTool(wait, description="d")]).call_tool("wait", {}, token))
    await started.wait()

    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
