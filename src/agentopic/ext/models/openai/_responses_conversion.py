"""Turns a question into the parameters of the responses API."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypeAlias

from openai.resources.responses import AsyncResponses

from agentopic.core import Image
from agentopic.core.models import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from agentopic.ext.models._client import KeptReasoning, Question
from agentopic.ext.models.openai._create_arguments import strict_schema
from agentopic.ext.models.openai._tool_conversion import function_of

Item: TypeAlias = dict[str, Any]

_OURS = frozenset({"self", "input", "stream", "tools", "tool_choice"})
_OF_CLIENT = frozenset({"timeout", "extra_headers", "extra_query", "extra_body"})
_PER_CALL = frozenset(inspect.signature(AsyncResponses.create).parameters) - _OURS
CREATE_ARGUMENTS = _PER_CALL - _OF_CLIENT
"""What can go with every call."""

_ENCRYPTED_REASONING = "reasoning.encrypted_content"


def call_arguments(
    of_every_call: Mapping[str, Any], question: Question, kept: KeptReasoning[list[Item]]
) -> dict[str, Any]:
    """The parameters of one call; nothing is stored at the provider unless `store` or `background` says so.

    Raises:
        ValueError: an extra argument is none of the API's, or the chosen tool is not among the tools.
    """
    unknown = sorted(question.extra.keys() - _PER_CALL)
    if unknown:
        raise ValueError(f"not arguments of this API: {', '.join(unknown)}")
    arguments: dict[str, Any] = {**of_every_call, **question.extra}
    arguments.setdefault("store", bool(arguments.get("background")))
    if not arguments["store"] and "reasoning" in arguments:
        arguments.setdefault("include", [_ENCRYPTED_REASONING])
    if question.json_output is not None:
        arguments["text"] = {**arguments.get("text", {}), "format": _format(question)}
    if question.tools:
        arguments["tools"] = [{"type": "function", **function_of(schema)} for schema in question.tool_schemas]
        chosen = question.chosen_tool
        arguments["tool_choice"] = question.tool_choice if chosen is None else {"type": "function", "name": chosen}
    else:
        arguments.pop("parallel_tool_calls", None)
    return {**arguments, "input": [item for message in question.messages for item in _items(message, kept)]}


def _format(question: Question) -> dict[str, Any]:
    output = question.output_schema
    if output is None:
        return {"type": "json_object" if question.json_output else "text"}
    return {"type": "json_schema", "name": output.__name__, "schema": strict_schema(output), "strict": True}


def _items(message: LLMMessage, kept: KeptReasoning[list[Item]]) -> list[Item]:
    if isinstance(message, SystemMessage):
        return [{"role": "system", "content": message.content}]
    if isinstance(message, UserMessage):
        return [{"role": "user", "content": _user_content(message)}]
    if isinstance(message, AssistantMessage):
        return _said(message, kept)
    return _results(message)


def _user_content(message: UserMessage) -> str | list[Item]:
    if isinstance(message.content, str):
        return message.content
    return [_part(part) for part in message.content]


def _part(part: str | Image) -> Item:
    if isinstance(part, str):
        return {"type": "input_text", "text": part}
    return {"type": "input_image", "image_url": part.data_uri, "detail": "auto"}


def _said(message: AssistantMessage, kept: KeptReasoning[list[Item]]) -> list[Item]:
    if isinstance(message.content, str):
        return [{"role": "assistant", "content": message.content}]
    calls = [
        {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}
        for call in message.content
    ]
    return [*(kept.before(message.content) or ()), *calls]


def _results(message: FunctionExecutionResultMessage) -> list[Item]:
    return [
        {"type": "function_call_output", "call_id": result.call_id, "output": result.content}
        for result in message.content
    ]
