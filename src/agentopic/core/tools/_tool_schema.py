"""How a tool is described to a model: `ToolSchema`, as OpenAI's function format has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, cast

from pydantic import BaseModel
from typing_extensions import TypedDict


class ParametersSchema(TypedDict):
    """The arguments of a tool as a JSON Schema object, without references."""

    type: str
    properties: dict[str, Any]
    required: NotRequired[Sequence[str]]
    additionalProperties: NotRequired[bool]


class ToolSchema(TypedDict):
    """One tool as the model sees it."""

    parameters: NotRequired[ParametersSchema]
    name: str
    description: NotRequired[str]
    strict: NotRequired[bool]


class ToolOverride(BaseModel):
    """Another name or description for a tool of a workbench; None keeps the tool's own."""

    name: str | None = None
    description: str | None = None


def tool_schema(name: str, description: str, args_type: type[BaseModel], *, strict: bool) -> ToolSchema:
    """Describe a tool whose arguments are `args_type`.

    Raises:
        ValueError: strict is asked for, and an argument is optional or further arguments are allowed.
    """
    model_schema = inline_references(args_type.model_json_schema())
    parameters = ParametersSchema(
        type="object",
        properties=model_schema.get("properties", {}),
        required=model_schema.get("required", []),
        additionalProperties=model_schema.get("additionalProperties", False),
    )
    if strict:
        _check_strict(name, parameters)
    return ToolSchema(name=name, description=description, parameters=parameters, strict=strict)


def inline_references(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a JSON Schema with its `$defs` put in place of the references to them.

    Raises:
        ValueError: a definition contains itself.
    """
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    body = {name: value for name, value in schema.items() if name != "$defs"}
    return cast("dict[str, Any]", _inline(body, definitions, ()))


def _inline(node: Any, definitions: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inline(item, definitions, path) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    fields = cast("dict[str, Any]", node)
    reference = fields.get("$ref")
    if not isinstance(reference, str):
        return {name: _inline(_without_echo(name, value), definitions, path) for name, value in fields.items()}
    name = reference.removeprefix("#/$defs/")
    if name in path:
        raise ValueError(f"the arguments of a tool cannot contain themselves: {name}")
    siblings = {key: value for key, value in fields.items() if key != "$ref"}
    return {**_inline(definitions[name], definitions, (*path, name)), **siblings}


def _without_echo(name: str, node: Any) -> Any:
    """A reference that is described by its own name says nothing over the definition's description."""
    if not isinstance(node, dict) or "$ref" not in node:
        return cast("Any", node)
    fields = cast("dict[str, Any]", node)
    return {key: value for key, value in fields.items() if (key, value) != ("description", name)}


def _check_strict(name: str, parameters: ParametersSchema) -> None:
    optional = set(parameters["properties"]) - set(parameters.get("required", ()))
    if optional:
        raise ValueError(f"strict tool {name!r} has optional arguments: {', '.join(sorted(optional))}")
    if parameters.get("additionalProperties"):
        raise ValueError(f"strict tool {name!r} allows additional arguments")
