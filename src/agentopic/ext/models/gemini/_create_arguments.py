"""Builds the parameters of one call from what the client was given and what the caller asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.genai import types

from agentopic.core.tools import ToolSchema
from agentopic.ext.models._client import KeptReasoning, Question, split_system
from agentopic.ext.models.gemini._message_conversion import to_contents

_OURS = frozenset(
    {
        "http_options",
        "should_return_http_response",
        "system_instruction",
        "tools",
        "tool_config",
        "response_schema",
        "response_json_schema",
        "automatic_function_calling",
        "candidate_count",
    }
)
CREATE_ARGUMENTS = frozenset(types.GenerateContentConfig.model_fields) - _OURS
"""What can go with every call or with one."""

_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}


def call_arguments(
    model: str, of_every_call: Mapping[str, Any], question: Question, signatures: KeptReasoning[bytes]
) -> dict[str, Any]:
    """The parameters of one call.

    Raises:
        ValueError: an extra argument is none of the API's, or the chosen tool is not among the tools.
    """
    unknown = sorted(question.extra.keys() - CREATE_ARGUMENTS)
    if unknown:
        raise ValueError(f"not arguments of this API: {', '.join(unknown)}")
    system, messages = split_system(question.messages)
    config: dict[str, Any] = {**of_every_call, **question.extra, **_format(question)}
    if system is not None:
        config["system_instruction"] = system
    if question.tools:
        config["tools"] = [{"function_declarations": [_function(schema) for schema in question.tool_schemas]}]
        config["tool_config"] = {"function_calling_config": _choice(question)}
    config["automatic_function_calling"] = {"disable": True}
    signed = "gemini-3" in model
    return {"model": model, "contents": to_contents(messages, signatures, signed=signed), "config": config}


def _format(question: Question) -> dict[str, Any]:
    if question.json_output is None:
        return {}
    if question.output_schema is not None:
        schema = question.output_schema.model_json_schema()
        return {"response_mime_type": "application/json", "response_json_schema": schema}
    return {"response_mime_type": "application/json" if question.json_output else "text/plain"}


def _function(schema: ToolSchema) -> dict[str, Any]:
    function: dict[str, Any] = {"name": schema["name"], "description": schema.get("description", "")}
    parameters: dict[str, Any] = {**(schema.get("parameters") or {})}
    if parameters.get("properties"):
        function["parameters_json_schema"] = {"type": "object", **parameters}
    return function


def _choice(question: Question) -> dict[str, Any]:
    chosen = question.chosen_tool
    if chosen is not None:
        return {"mode": "ANY", "allowed_function_names": [chosen]}
    return {"mode": _MODES[str(question.tool_choice)]}
