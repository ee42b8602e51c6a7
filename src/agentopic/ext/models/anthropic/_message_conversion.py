"""Turns agent messages into messages of Anthropic's API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from agentopic.core import FunctionCall, Image
from agentopic.core.models import AssistantMessage, FunctionExecutionResultMessage, LLMMessage, UserMessage
from agentopic.ext.models._client import KeptReasoning

ApiMessage: TypeAlias = dict[str, Any]
Block: TypeAlias = dict[str, Any]
"""A part of what the model said, as it came."""


def to_api_messages(messages: Sequence[LLMMessage], thinking: KeptReasoning[list[Block]]) -> list[ApiMessage]:
    """The same conversation for the API, which takes instructions elsewhere.

    Thinking that belongs to a tool call goes back as it came, since the API checks its signature. White space at the
    end of the last assistant message is cut off: the API refuses it.
    """
    converted = [_convert(message, thinking) for message in messages]
    if messages and isinstance(messages[-1], AssistantMessage) and isinstance(messages[-1].content, str):
        converted[-1]["content"] = messages[-1].content.rstrip()
    return converted


def _convert(message: LLMMessage, thinking: KeptReasoning[list[Block]]) -> ApiMessage:
    if isinstance(message, UserMessage):
        return {"role": "user", "content": _user_content(message)}
    if isinstance(message, AssistantMessage):
        return {"role": "assistant", "content": _assistant_content(message, thinking)}
    if isinstance(message, FunctionExecutionResultMessage):
        return {"role": "user", "content": _tool_results(message)}
    raise ValueError("instructions are no part of the conversation in this API")


def _user_content(message: UserMessage) -> str | list[dict[str, Any]]:
    if isinstance(message.content, str):
        return _not_empty(message.content)
    return [_part(part) for part in message.content]


def _part(part: str | Image) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": _not_empty(part)}
    source = {"type": "base64", "media_type": "image/png", "data": part.to_base64()}
    return {"type": "image", "source": source}


def _not_empty(text: str) -> str:
    """The API refuses empty texts; white space alone counts as empty."""
    return text if text.strip() else " "


def _assistant_content(message: AssistantMessage, thinking: KeptReasoning[list[Block]]) -> str | list[dict[str, Any]]:
    if isinstance(message.content, str):
        return message.content
    calls = [_tool_use(call) for call in message.content]
    kept = thinking.before(message.content)
    if kept:
        return [*kept, *calls]
    return [{"type": "text", "text": message.thought}, *calls] if message.thought else calls


def _tool_use(call: FunctionCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call.arguments)}


def _input(arguments: str) -> dict[str, Any]:
    """The API takes objects only; what the model wrote instead is shown to it as it was."""
    try:
        parsed: Any = json.loads(arguments) if arguments else {}
    except json.JSONDecodeError:
        return {"text": arguments}
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {"value": parsed}


def _tool_results(message: FunctionExecutionResultMessage) -> list[dict[str, Any]]:
    return [
        {
            "type": "tool_result",
            "tool_use_id": result.call_id,
            "content": result.content,
            **({"is_error": True} if result.is_error else {}),
        }
        for result in message.content
    ]
