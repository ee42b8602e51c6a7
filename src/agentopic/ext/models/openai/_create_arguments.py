"""Builds the parameters of one call from what the client was given and what the caller asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import openai
from openai.types.chat import completion_create_params
from pydantic import BaseModel

from agentopic.core.models import LLMMessage, ModelInfo
from agentopic.core.tools import Tool, ToolSchema
from agentopic.ext.models.openai._message_conversion import (
    ConversionOptions,
    has_images,
    merge_system_messages,
    to_api_messages,
)
from agentopic.ext.models.openai._tool_conversion import ToolChoice, to_api_choice, to_api_tools

DEFAULT_TIMEOUT_SECONDS = 30.0

_BEHAVIOUR = frozenset({"model_capabilities", "model_info", "add_name_prefixes", "include_name_in_message"})
_OURS = frozenset({"messages", "stream", "tools", "tool_choice", "function_call", "functions", "n"})
_CREATE_ARGUMENTS = frozenset(completion_create_params.CompletionCreateParamsBase.__annotations__) - _OURS
_PER_CALL = _CREATE_ARGUMENTS | {"timeout", "extra_headers", "extra_query", "extra_body"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientArguments:
    """Constructor arguments by what they are for."""

    of_every_call: dict[str, Any]
    behaviour: dict[str, Any]
    """Keyword arguments of our own base client."""
    sdk: dict[str, Any]
    """Keyword arguments of the SDK's client."""


def split_arguments(given: Mapping[str, Any]) -> ClientArguments:
    """Sort constructor arguments; None means not given, except for the time-out.

    Raises:
        ValueError: the model is missing, or an argument is set that the client itself controls.
    """
    present = {name: value for name, value in given.items() if value is not None or name == "timeout"}
    if "model" not in present:
        raise ValueError("the argument 'model' is required")
    forbidden = sorted(_OURS & present.keys())
    if forbidden:
        raise ValueError(f"not allowed as arguments of every call: {', '.join(forbidden)}")
    behaviour = {name: value for name, value in present.items() if name in _BEHAVIOUR}
    if "max_retries" in present:
        behaviour["retries"] = present.pop("max_retries")
    return ClientArguments(
        of_every_call={name: value for name, value in present.items() if name in _CREATE_ARGUMENTS},
        behaviour=behaviour,
        sdk={
            "timeout": DEFAULT_TIMEOUT_SECONDS,
            **{n: value for n, value in present.items() if n not in _CREATE_ARGUMENTS | _BEHAVIOUR},
        },
    )


def call_arguments(
    of_every_call: Mapping[str, Any],
    model_info: ModelInfo,
    options: ConversionOptions,
    *,
    messages: Sequence[LLMMessage],
    tools: Sequence[Tool | ToolSchema],
    tool_choice: ToolChoice,
    json_output: bool | type[BaseModel] | None,
    extra_create_args: Mapping[str, Any],
) -> dict[str, Any]:
    """The parameters of one call.

    Raises:
        ValueError: the model cannot do what is asked, or an extra argument is none of the API's.
    """
    unknown = sorted(extra_create_args.keys() - _PER_CALL)
    if unknown:
        raise ValueError(f"not arguments of this API: {', '.join(unknown)}")
    _check_abilities(model_info, messages, tools)
    arguments: dict[str, Any] = {**of_every_call, **extra_create_args}
    if json_output is not None:
        arguments["response_format"] = _response_format(json_output, model_info)
    if model_info.get("multiple_system_messages") is False:
        messages = merge_system_messages(messages)
    arguments["messages"] = to_api_messages(messages, options)
    if tools:
        arguments["tools"] = to_api_tools(tools)
        arguments["tool_choice"] = to_api_choice(tool_choice, tools)
    else:
        arguments.pop("parallel_tool_calls", None)  # refused by the API when there is no tool
    return arguments


def _check_abilities(model_info: ModelInfo, messages: Sequence[LLMMessage], tools: Sequence[Tool | ToolSchema]) -> None:
    if not model_info["vision"] and has_images(messages):
        raise ValueError("the model takes no images (its model_info says vision=False)")
    if not model_info["function_calling"] and tools:
        raise ValueError("the model calls no tools (its model_info says function_calling=False)")


def _response_format(json_output: bool | type[BaseModel], model_info: ModelInfo) -> dict[str, Any]:
    if isinstance(json_output, bool):
        if json_output and not model_info["json_output"]:
            raise ValueError("the model cannot be held to JSON (its model_info says json_output=False)")
        return {"type": "json_object" if json_output else "text"}
    if not model_info.get("structured_output", False):
        raise ValueError("the model cannot be held to a schema (its model_info says structured_output=False)")
    strict_schema = openai.pydantic_function_tool(json_output)["function"].get("parameters")
    return {
        "type": "json_schema",
        "json_schema": {"name": json_output.__name__, "schema": strict_schema, "strict": True},
    }
