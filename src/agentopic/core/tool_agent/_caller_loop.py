"""`tool_agent_caller_loop`: lets a model call the tools of a ToolAgent until it answers in text."""

from __future__ import annotations

import asyncio

from agentopic.core._agent_id import AgentId
from agentopic.core._agent_runtime import AgentRuntime
from agentopic.core._base_agent import BaseAgent
from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._function_call import FunctionCall
from agentopic.core._serialization import try_get_known_serializers_for_type
from agentopic.core.models._model_client import ChatCompletionClient
from agentopic.core.models._types import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
)
from agentopic.core.tool_agent._tool_exceptions import ToolException
from agentopic.core.tools._tool import Tool
from agentopic.core.tools._tool_schema import ToolSchema


async def tool_agent_caller_loop(  # noqa: PLR0917 - AutoGen's signature
    caller: BaseAgent | AgentRuntime,
    tool_agent_id: AgentId,
    model_client: ChatCompletionClient,
    input_messages: list[LLMMessage],
    tool_schema: list[ToolSchema] | list[Tool],
    cancellation_token: CancellationToken | None = None,
    caller_source: str = "assistant",
) -> list[LLMMessage]:
    """The messages that come after `input_messages`: calls, their results, at last the text.

    A ToolException becomes a result that the model is told; anything else that goes wrong is raised.
    """
    runtime = caller.runtime if isinstance(caller, BaseAgent) else caller
    # the tools may be in another process, and no handler here takes what they answer
    runtime.add_message_serializer(try_get_known_serializers_for_type(FunctionExecutionResult))
    generated: list[LLMMessage] = []
    while True:
        answer = await model_client.create(
            [*input_messages, *generated], tools=tool_schema, cancellation_token=cancellation_token
        )
        generated.append(AssistantMessage(content=answer.content, source=caller_source))
        if isinstance(answer.content, str):
            return generated
        results = await asyncio.gather(
            *(_call(caller, tool_agent_id, call, cancellation_token) for call in answer.content)
        )
        generated.append(FunctionExecutionResultMessage(content=results))


async def _call(
    caller: BaseAgent | AgentRuntime,
    tool_agent_id: AgentId,
    call: FunctionCall,
    cancellation_token: CancellationToken | None,
) -> FunctionExecutionResult:
    try:
        return await caller.send_message(message=call, recipient=tool_agent_id, cancellation_token=cancellation_token)
    except ToolException as exc:
        return FunctionExecutionResult(content=f"Error: {exc}", call_id=exc.call_id, name=exc.name, is_error=True)
