"""Turns tools and the choice among them into parameters of the chat completions API."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from agentopic.core.tools import Tool, ToolSchema

ToolChoice: TypeAlias = Tool | Literal["auto", "required", "none"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_-]")


def to_api_tools(tools: Sequence[Tool | ToolSchema]) -> list[dict[str, Any]]:
    """The tools as functions of the API; ValueError when a name is not allowed there."""
    return [_function(tool.schema if isinstance(tool, Tool) else tool) for tool in tools]


def to_api_choice(choice: ToolChoice, tools: Sequence[Tool | ToolSchema]) -> Any:
    """The choice as the API has it; ValueError when the chosen tool is not among the tools."""
    if isinstance(choice, str):
        return choice
    names = [tool.schema["name"] if isinstance(tool, Tool) else tool["name"] for tool in tools]
    chosen = choice.schema["name"]
    if chosen not in names:
        raise ValueError(f"tool_choice {chosen!r} is not among the given tools: {', '.join(names)}")
    return {"type": "function", "function": {"name": chosen}}


def normalize_name(name: str) -> str:
    """A function name a model made up, as one the API would accept."""
    return _NOT_IN_NAME.sub("_", name)[:64]


def _function(schema: ToolSchema) -> dict[str, Any]:
    if _NAME.fullmatch(schema["name"]) is None:
        raise ValueError(
            f"{schema['name']!r} cannot be a tool's name: use letters, digits, '_' and '-', at most 64 characters"
        )
    return {
        "type": "function",
        "function": {
            "name": schema["name"],
            "description": schema.get("description", ""),
            "parameters": schema.get("parameters", {}),
            "strict": schema.get("strict", False),
        },
    }
