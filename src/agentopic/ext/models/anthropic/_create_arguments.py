"""Builds the parameters of one call from what the client was given and what the caller asks for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from anthropic import transform_schema
from anthropic.resources.messages import AsyncMessages

from agentopic.core.tools import ToolSchema
from agentopic.ext.models._client import KeptReasoning, Question, split_system
from agentopic.ext.models.anthropic._message_conversion import Block, to_api_messages

DEFAULT_MAX_TOKENS = 4096

_JSON_ONLY = "Answer with one JSON object and nothing else: no text around it and no code fence."
_OURS = frozenset({"messages", "stream", "system"})
_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
_OF_SDK = frozenset(inspect.signature(AsyncMessages.create).parameters) - {"self"}
CREATE_ARGUMENTS = (_OF_SDK | _SAMPLING | {"response_format"}) - _OURS
"""What can go with every call or with one."""


def call_arguments(
    of_every_call: Mapping[str, Any], question: Question, thinking: KeptReasoning[list[Block]]
) -> dict[str, Any]:
    """The parameters of one call.

    Raises:
        ValueError: an extra argument is none of the API's, or the chosen tool is not among the tools.
    """
    unknown = sorted(question.extra.keys() - CREATE_ARGUMENTS)
    if unknown:
        raise ValueError(f"not arguments of this API: {', '.join(unknown)}")
    given = {name: value for name, value in {**of_every_call, **question.extra}.items() if value is not None}
    response_format = given.pop("response_format", None)
    system, messages = split_system(question.messages)
    arguments = _for_sdk(given)
    arguments["messages"] = to_api_messages(messages, thinking)
    if _only_json(question, response_format):
        system = f"{system}\n{_JSON_ONLY}" if system else _JSON_ONLY
    if system is not None:
        arguments["system"] = system
    if question.output_schema is not None:
        schema = {"type": "json_schema", "schema": transform_schema(question.output_schema)}
        arguments["output_config"] = {**arguments.get("output_config", {}), "format": schema}
    return {**arguments, **_tools(given, question)}


def _only_json(question: Question, response_format: Any) -> bool:
    if question.json_output is not None:
        return question.json_output is True
    return bool(response_format) and response_format["type"] == "json_object"


def _for_sdk(given: dict[str, Any]) -> dict[str, Any]:
    """Parameters the SDK no longer declares go into the body, where the API still reads them.

    A temperature of 1 is what the API takes anyway, and newer models refuse to be told.
    """
    told = {name: value for name, value in given.items() if (name, value) != ("temperature", 1.0)}
    arguments = {name: value for name, value in told.items() if name in _OF_SDK}
    body = {name: value for name, value in told.items() if name not in _OF_SDK}
    if body:
        arguments["extra_body"] = {**body, **(arguments.get("extra_body") or {})}
    return arguments


def _tools(given: Mapping[str, Any], question: Question) -> dict[str, Any]:
    tools = [*given.get("tools", ()), *map(_tool, question.tool_schemas)]
    if not tools:
        return {}
    choice = _choice(question) if question.tools else _fixed_choice(given.get("tool_choice"))
    return {"tools": tools, **({"tool_choice": choice} if choice is not None else {})}


def _tool(schema: ToolSchema) -> dict[str, Any]:
    parameters: dict[str, Any] = {**(schema.get("parameters") or {})}
    shown = {name: parameters[name] for name in ("properties", "required", "$defs") if name in parameters}
    tool: dict[str, Any] = {
        "name": schema["name"],
        "input_schema": {"type": "object", "properties": {}, "required": [], **shown},
    }
    description = schema.get("description")
    return {**tool, "description": description} if description else tool


def _choice(question: Question) -> dict[str, Any]:
    chosen = question.chosen_tool
    if chosen is not None:
        return {"type": "tool", "name": chosen}
    return {"type": "any" if question.tool_choice == "required" else question.tool_choice}


def _fixed_choice(choice: Any) -> dict[str, Any] | None:
    return {"type": choice} if isinstance(choice, str) else choice
