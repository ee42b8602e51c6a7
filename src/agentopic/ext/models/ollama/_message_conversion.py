"""Turns agent messages and tools into those of Ollama's chat API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

from agentopic.core import FunctionCall, Image
from agentopic.core.models import AssistantMessage, LLMMessage, SystemMessage, UserMessage
from agentopic.core.models import FunctionExecutionResultMessage as ToolResults
from agentopic.core.tools import ToolSchema
from agentopic.ext.models._client import Question

ApiMessage: TypeAlias = dict[str, Any]


def to_api_messages(messages: Sequence[LLMMessage]) -> list[ApiMessage]:
    """The same conversation for the API."""
    return [converted for message in messages for converted in _convert(message)]


def to_api_tools(question: Question) -> list[dict[str, Any]]:
    """The tools the model may call.

    The API knows no choice among them: `none` offers nothing, a certain tool offers that one alone, and `required` is
    the same as `auto`.
    """
    if question.tool_choice == "none":
        return []
    chosen = question.chosen_tool
    return [_tool(schema) for schema in question.tool_schemas if chosen in (None, schema["name"])]


def _convert(message: LLMMessage) -> list[ApiMessage]:
    if isinstance(message, SystemMessage):
        return [{"role": "system", "content": message.content}]
    if isinstance(message, UserMessage):
        return [_user(message)]
    if isinstance(message, AssistantMessage):
        return [_assistant(message)]
    return _tool_results(message)


def _user(message: UserMessage) -> ApiMessage:
    """Texts and images of one message have separate places in the API."""
    if isinstance(message.content, str):
        return {"role": "user", "content": message.content}
    texts = [part for part in message.content if isinstance(part, str)]
    images = [part.to_base64() for part in message.content if isinstance(part, Image)]
    return {"role": "user", "content": "\n".join(texts), **({"images": images} if images else {})}


def _assistant(message: AssistantMessage) -> ApiMessage:
    thinking = {"thinking": message.thought} if message.thought else {}
    if isinstance(message.content, str):
        return {"role": "assistant", "content": message.content, **thinking}
    return {"role": "assistant", "tool_calls": [_tool_call(call) for call in message.content], **thinking}


def _tool_call(call: FunctionCall) -> dict[str, Any]:
    return {"function": {"name": call.name, "arguments": _object(call.arguments)}}


def _object(arguments: str) -> dict[str, Any]:
    """The API takes objects only; what the model wrote instead is shown to it as it was."""
    try:
        parsed: Any = json.loads(arguments) if arguments else {}
    except json.JSONDecodeError:
        return {"text": arguments}
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {"value": parsed}


def _tool_results(message: ToolResults) -> list[ApiMessage]:
    return [{"role": "tool", "content": result.content, "tool_name": result.name} for result in message.content]


def _tool(schema: ToolSchema) -> dict[str, Any]:
    parameters: dict[str, Any] = {"required": [], "properties": {}, **(schema.get("parameters") or {})}
    described = {
        "type": "object",
        "required": parameters["required"],
        "properties": {name: _property(of, parameters) for name, of in parameters["properties"].items()},
    }
    function = {"name": schema["name"], "description": schema.get("description", ""), "parameters": described}
    return {"type": "function", "function": function}


def _property(schema: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """One parameter: the API knows its type, items, values and description, and no references."""
    shown = _resolved(schema, parameters)
    return {name: shown[name] for name in ("type", "items", "enum", "description") if name in shown}


def _resolved(schema: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """A schema without `$ref` and `anyOf` at its top: an optional value has its type, one of several has them all."""
    if "$ref" in schema:
        definitions: dict[str, Any] = parameters.get("$defs") or {}
        return {**definitions.get(schema["$ref"].rsplit("/", 1)[-1], {"type": "object"}), **schema}
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(choices) == 1:
        return {**_resolved(choices[0], parameters), **schema}
    if choices:
        return {**schema, "type": [_resolved(each, parameters).get("type", "object") for each in choices]}
    return schema
