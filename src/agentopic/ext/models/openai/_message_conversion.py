"""Turns agent messages into messages of the chat completions API."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from agentopic.core import FunctionCall, Image
from agentopic.core.models import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)

ApiMessage: TypeAlias = dict[str, Any]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionOptions:
    """How sources are shown to the model."""

    add_name_prefixes: bool = False
    include_name: bool = True


def to_api_messages(messages: Sequence[LLMMessage], options: ConversionOptions) -> list[ApiMessage]:
    """The same conversation for the API; ValueError when a source cannot be a name there."""
    return [converted for message in messages for converted in _convert(message, options)]


def _convert(message: LLMMessage, options: ConversionOptions) -> list[ApiMessage]:
    if isinstance(message, SystemMessage):
        return [{"role": "system", "content": message.content}]
    if isinstance(message, UserMessage):
        return [_user(message, options)]
    if isinstance(message, AssistantMessage):
        return [_assistant(message)]
    return _tool_results(message)


def _user(message: UserMessage, options: ConversionOptions) -> ApiMessage:
    prefix = f"{message.source} said:\n" if options.add_name_prefixes else ""
    content: str | list[dict[str, Any]]
    if isinstance(message.content, str):
        content = prefix + message.content
    else:
        content = [_part(part) for part in ([prefix] if prefix else []) + message.content]
    return {"role": "user", "content": content, **_name(message.source, options)}


def _part(part: str | Image) -> dict[str, Any]:
    return {"type": "text", "text": part} if isinstance(part, str) else part.to_openai_format()


def _assistant(message: AssistantMessage) -> ApiMessage:
    converted: ApiMessage = {"role": "assistant"}
    if isinstance(message.content, str):
        converted["content"] = message.content
    else:
        converted["content"] = message.thought
        converted["tool_calls"] = [_tool_call(call) for call in message.content]
    return converted


def _tool_call(call: FunctionCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _tool_results(message: FunctionExecutionResultMessage) -> list[ApiMessage]:
    return [{"role": "tool", "tool_call_id": result.call_id, "content": result.content} for result in message.content]


def _name(source: str, options: ConversionOptions) -> dict[str, str]:
    if not options.include_name:
        return {}
    if _NAME.fullmatch(source) is None:
        raise ValueError(
            f"{source!r} cannot be a name in this API: use letters, digits, '_' and '-', at most 64 characters, "
            "or give the client include_name_in_message=False"
        )
    return {"name": source}
