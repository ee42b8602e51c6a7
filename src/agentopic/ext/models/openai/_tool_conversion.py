"""Turns tools and the choice among them into parameters of the chat completions API."""

from __future__ import annotations

import re
from typing import Any

from agentopic.core.tools import ToolSchema
from agentopic.ext.models._client import Question

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def to_api_tools(question: Question) -> list[dict[str, Any]]:
    """The tools as functions of the API; ValueError when a name is not allowed there."""
    return [{"type": "function", "function": function_of(schema)} for schema in question.tool_schemas]


def to_api_choice(question: Question) -> Any:
    """The choice as the API has it; ValueError when the chosen tool is not among the tools."""
    chosen = question.chosen_tool
    return question.tool_choice if chosen is None else {"type": "function", "function": {"name": chosen}}


def function_of(schema: ToolSchema) -> dict[str, Any]:
    """One tool as a function of the API; ValueError when its name is not allowed there."""
    return {
        "name": checked_name(schema["name"]),
        "description": schema.get("description", ""),
        "parameters": schema.get("parameters", {}),
        "strict": schema.get("strict", False),
    }


def checked_name(name: str) -> str:
    """The name of a tool; ValueError when it is not allowed in the API."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} cannot be a tool's name: use letters, digits, '_' and '-', at most 64 characters")
    return name
