"""Calls the tools a model asked for, side by side, and shows what happens in them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

from agentopic.agentchat.agents._assistant_config import AssistantOptions
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.core import CancellationToken, FunctionCall
from agentopic.core._turn import step_path
from agentopic.core.models import FunctionExecutionResult
from agentopic.core.tools import StreamWorkbench, TextResultContent, ToolResult, Workbench
from agentopic.core.tools._tool_failure import failure_text
from agentopic.errors import StepOutcomeUnknownError

_END = object()


async def execute_tool_calls(
    calls: Sequence[FunctionCall], options: AssistantOptions, cancellation_token: CancellationToken
) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | list[FunctionExecutionResult], None]:
    """Call all tools at once; yields what they show, and at last their results in the order of the calls.

    A call that cannot be made or fails is a result with `is_error`. If this generator is closed, or a call breaks
    off the attempt, the other calls are cancelled and waited for.
    """
    shown: asyncio.Queue[Any] = asyncio.Queue()
    tasks = [asyncio.create_task(_execute_apart(call, options, shown, cancellation_token)) for call in calls]
    together = asyncio.gather(*tasks)
    together.add_done_callback(lambda _done: shown.put_nowait(_END))
    try:
        while (item := await shown.get()) is not _END:
            yield item
        yield await together
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(together, *tasks, return_exceptions=True)


async def _execute_apart(
    call: FunctionCall,
    options: AssistantOptions,
    shown: asyncio.Queue[Any],
    cancellation_token: CancellationToken,
) -> FunctionExecutionResult:
    # Two calls that do the same thing side by side never take each other's recorded results.
    with step_path(call.id):
        return await _execute(call, options, shown, cancellation_token)


async def _execute(
    call: FunctionCall,
    options: AssistantOptions,
    shown: asyncio.Queue[Any],
    cancellation_token: CancellationToken,
) -> FunctionExecutionResult:
    try:
        arguments = json.loads(call.arguments or "{}")
    except json.JSONDecodeError as exc:
        return _error(call, f"Error: {exc}")
    if not isinstance(arguments, dict):
        return _error(call, "Error: the arguments are not a JSON object")
    arguments = cast("dict[str, Any]", arguments)
    for tool in options.handoff_tools:
        if tool.name == call.name:
            value = await tool.run_json(arguments, cancellation_token, call_id=call.id)
            return _result(call, tool.return_value_as_string(value), is_error=False)
    workbench = await _workbench_of(call.name, options.workbenches)
    if workbench is None:
        return _error(call, f"Error: tool '{call.name}' not found in any workbench")
    try:
        result = await _call(workbench, call, arguments, shown, cancellation_token)
    except StepOutcomeUnknownError as exc:
        return _error(call, failure_text(exc))
    return _result(call, result.to_text(), is_error=result.is_error)


async def _workbench_of(tool_name: str, workbenches: Sequence[Workbench]) -> Workbench | None:
    for workbench in workbenches:
        if any(schema["name"] == tool_name for schema in await workbench.list_tools()):
            return workbench
    return None


async def _call(
    workbench: Workbench,
    call: FunctionCall,
    arguments: dict[str, Any],
    shown: asyncio.Queue[Any],
    token: CancellationToken,
) -> ToolResult:
    if not isinstance(workbench, StreamWorkbench):
        return await workbench.call_tool(call.name, arguments, token, call.id)
    stream = workbench.call_tool_stream(call.name, arguments, token, call.id)
    async with aclosing(stream):
        async for item in stream:
            if isinstance(item, ToolResult):
                return item
            if isinstance(item, BaseAgentEvent | BaseChatMessage):
                shown.put_nowait(item)
    text = f"Tool {call.name} ended without a result."
    return ToolResult(name=call.name, result=[TextResultContent(content=text)], is_error=True)


def _result(call: FunctionCall, content: str, *, is_error: bool) -> FunctionExecutionResult:
    return FunctionExecutionResult(content=content, call_id=call.id, name=call.name, is_error=is_error)


def _error(call: FunctionCall, content: str) -> FunctionExecutionResult:
    return _result(call, content, is_error=True)
