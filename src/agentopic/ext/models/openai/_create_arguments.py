"""Builds the parameters of one call from what the client was given and what the caller asks for."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import openai
from openai.types.chat import completion_create_params
from pydantic import BaseModel

from agentopic.core import TRACE_LOGGER_NAME
from agentopic.ext.models._client import DEFAULT_TIMEOUT_SECONDS, Question
from agentopic.ext.models.openai._message_conversion import ConversionOptions, to_api_messages
from agentopic.ext.models.openai._tool_conversion import to_api_choice, to_api_tools

_log = logging.getLogger(TRACE_LOGGER_NAME)
_BEHAVIOUR = frozenset({"model_capabilities", "model_info", "add_name_prefixes", "include_name_in_message"})
_OURS = frozenset({"messages", "stream", "tools", "tool_choice", "function_call", "functions", "n"})
_CREATE_ARGUMENTS = frozenset(completion_create_params.CompletionCreateParamsBase.__annotations__) - _OURS
_SDK_ARGUMENTS = frozenset(
    name for client in (openai.AsyncOpenAI, openai.AsyncAzureOpenAI) for name in inspect.signature(client).parameters
)
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
    """Sort constructor arguments; None means not given, except for the time-out. Unknown ones are logged and dropped.

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
    unknown = sorted(present.keys() - _CREATE_ARGUMENTS - _BEHAVIOUR - _SDK_ARGUMENTS)
    if unknown:
        _log.warning("ignored: %s; neither the client nor the API has such arguments", ", ".join(unknown))
    return ClientArguments(
        of_every_call={name: value for name, value in present.items() if name in _CREATE_ARGUMENTS},
        behaviour=behaviour,
        sdk={
            "timeout": DEFAULT_TIMEOUT_SECONDS,
            **{name: value for name, value in present.items() if name in _SDK_ARGUMENTS - _CREATE_ARGUMENTS},
        },
    )


def call_arguments(of_every_call: Mapping[str, Any], question: Question, options: ConversionOptions) -> dict[str, Any]:
    """The parameters of one call.

    Raises:
        ValueError: an extra argument is none of the API's, or the chosen tool is not among the tools.
    """
    unknown = sorted(question.extra.keys() - _PER_CALL)
    if unknown:
        raise ValueError(f"not arguments of this API: {', '.join(unknown)}")
    arguments: dict[str, Any] = {**of_every_call, **question.extra}
    if question.json_output is not None:
        arguments["response_format"] = _response_format(question.json_output)
    arguments["messages"] = to_api_messages(question.messages, options)
    if question.tools:
        arguments["tools"] = to_api_tools(question)
        arguments["tool_choice"] = to_api_choice(question)
    else:
        arguments.pop("parallel_tool_calls", None)  # refused by the API when there is no tool
    return arguments


def _response_format(json_output: bool | type[BaseModel]) -> dict[str, Any]:
    if isinstance(json_output, bool):
        return {"type": "json_object" if json_output else "text"}
    return {
        "type": "json_schema",
        "json_schema": {"name": json_output.__name__, "schema": strict_schema(json_output), "strict": True},
    }


def strict_schema(output: type[BaseModel]) -> Any:
    """The schema of a class as the API takes it for an answer that must follow it."""
    return openai.pydantic_function_tool(output)["function"].get("parameters")
