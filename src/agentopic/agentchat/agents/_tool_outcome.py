"""What an assistant answers after tools were called: a handoff, or a summary of the results."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TypeAlias

from agentopic.agentchat.agents._assistant_config import AssistantOptions
from agentopic.agentchat.messages import HandoffMessage, ToolCallSummaryMessage
from agentopic.core import FunctionCall
from agentopic.core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
)

Executed: TypeAlias = Sequence[tuple[FunctionCall, FunctionExecutionResult]]


def handoff_message(executed: Executed, model_result: CreateResult, options: AssistantOptions) -> HandoffMessage | None:
    """The first transfer among the calls, with the other calls as context for its target; None without one."""
    transfers = [(call, result) for call, result in executed if call.name in options.handoffs]
    if not transfers:
        return None
    if len(transfers) > 1:
        names = [call.name for call, _ in transfers]
        warnings.warn(f"several handoffs at once, only the first is followed: {names}", stacklevel=2)
    call, result = transfers[0]
    return HandoffMessage(
        content=result.content,
        target=options.handoffs[call.name].target,
        source=options.name,
        context=_context(executed, model_result, options),
    )


def summary_message(executed: Executed, options: AssistantOptions) -> ToolCallSummaryMessage:
    """The results as text, one after the other."""
    normal = [(call, result) for call, result in executed if call.name not in options.handoffs]
    return ToolCallSummaryMessage(
        content="\n".join(_summary(call, result, options) for call, result in normal),
        source=options.name,
        tool_calls=[call for call, _ in normal],
        results=[result for _, result in normal],
    )


def _context(executed: Executed, model_result: CreateResult, options: AssistantOptions) -> list[LLMMessage]:
    normal = [(call, result) for call, result in executed if call.name not in options.handoffs]
    thought = model_result.thought or None
    if normal:
        calls = [call for call, _ in normal]
        return [
            AssistantMessage(content=calls, source=options.name, thought=thought),
            FunctionExecutionResultMessage(content=[result for _, result in normal]),
        ]
    return [AssistantMessage(content=thought, source=options.name)] if thought else []


def _summary(call: FunctionCall, result: FunctionExecutionResult, options: AssistantOptions) -> str:
    if options.tool_call_summary_formatter is not None:
        return options.tool_call_summary_formatter(call, result)
    return options.tool_call_summary_format.format(
        tool_name=call.name, arguments=call.arguments, result=result.content, is_error=result.is_error
    )
