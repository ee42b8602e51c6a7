"""How the arguments of a model become the path, query and body of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import Formatter
from typing import Any
from urllib.parse import quote, urlencode

from agentopic.errors import ToolError


def path_parameters(path: str) -> frozenset[str]:
    """The names in braces of a path.

    Raises:
        ValueError: the braces do not pair.
    """
    return frozenset(name for _, name, _, _ in Formatter().parse(path) if name is not None)


def filled_path(path: str, arguments: Mapping[str, Any]) -> str:
    """A path with its parameters in place, each kept to one segment whatever a model puts in.

    Raises:
        ToolError: a parameter has no value, or one that would lead out of its segment.
    """
    values = {name: _segment(name, arguments.get(name)) for name in path_parameters(path)}
    filled = path.format(**values)
    return filled if filled.startswith("/") else f"/{filled}"


def with_query(path: str, arguments: Mapping[str, Any]) -> str:
    """A path followed by arguments as its query; one that is None is sent empty."""
    if not arguments:
        return path
    query = urlencode({name: _query_value(value) for name, value in arguments.items()}, doseq=True)
    return f"{path}{'&' if '?' in path else '?'}{query}"


def json_body(arguments: Mapping[str, Any]) -> bytes:
    """Arguments as a JSON object."""
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":")).encode()


def _segment(name: str, value: Any) -> str:
    text = "" if value is None else str(value)
    if text in {"", ".", ".."}:
        raise ToolError(f"argument {name!r} is part of the path and cannot be {text!r}")
    return quote(text, safe="")


def _query_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, dict) else value
