"""`ToolAgent`: runs the tools it was given for whoever sends it a FunctionCall."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from agentopic.core._function_call import FunctionCall
from agentopic.core._message_context import MessageContext
from agentopic.core._message_handler import message_handler
from agentopic.core._routed_agent import RoutedAgent
from agentopic.core.models._types import FunctionExecutionResult
from agentopic.core.tool_agent._tool_exceptions import (
    InvalidToolArgumentsException,
    ToolExecutionException,
    ToolNotFoundException,
)
from agentopic.core.tools._call_limit import result_text
from agentopic.core.tools._tool import Tool
from agentopic.core.tools._tool_failure import ToolFailure, await_tool, told_failures


class ToolAgent(RoutedAgent):
    """Answers a FunctionCall with a FunctionExecutionResult."""

    def __init__(self, description: str, tools: list[Tool]) -> None:
        super().__init__(description)
        self._tools = tools

    @property
    def tools(self) -> list[Tool]:
        """The tools it runs."""
        return self._tools

    @message_handler
    async def handle_function_call(self, message: FunctionCall, ctx: MessageContext) -> FunctionExecutionResult:
        """Run the tool.

        Raises:
            ToolNotFoundException: there is no tool of that name.
            InvalidToolArgumentsException: the arguments are not JSON, or not those of the tool.
            ToolExecutionException: the tool failed.
        """
        call_id, name = message.id, message.name
        tool = next((tool for tool in self._tools if tool.name == name), None)
        if tool is None:
            raise ToolNotFoundException(call_id, f"Error: Tool not found: {name}", name)
        arguments = _arguments(message, tool)
        try:
            value = await await_tool(
                tool.run_json(arguments, ctx.cancellation_token, call_id=call_id), ctx.cancellation_token
            )
            with told_failures():
                text = result_text(tool, value)
        except ToolFailure as exc:
            raise ToolExecutionException(call_id, f"Error: {exc.text}", name) from exc
        return FunctionExecutionResult(content=text, call_id=call_id, name=name, is_error=False)


def _arguments(call: FunctionCall, tool: Tool) -> dict[str, Any]:
    try:
        arguments = json.loads(call.arguments or "{}")
        tool.args_type().model_validate(arguments)
    except (json.JSONDecodeError, ValidationError) as exc:
        text = f"Error: Invalid arguments: {call.arguments}"
        raise InvalidToolArgumentsException(call.id, text, call.name) from exc
    return arguments
