"""Makes pydantic classes from JSON Schemas."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, cast

from pydantic import (
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    create_model,
)

from agentopic.errors import ComponentError

_SIMPLE: dict[str, Any] = {
    "integer": int,
    "number": float,
    "boolean": bool,
    "null": type(None),
}
_FORMATS: dict[str, Any] = {
    "uuid": uuid.UUID,
    "date": dt.date,
    "time": dt.time,
    "date-time": dt.datetime,
    "duration": dt.timedelta,
    "uri": AnyUrl,
    "ipv4": IPvAnyAddress,
    "ipv6": IPvAnyAddress,
}
_CONSTRAINTS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minItems": "min_length",
    "maxItems": "max_length",
}


def schema_to_pydantic_model(schema: dict[str, Any], model_name: str = "GeneratedModel") -> type[BaseModel]:
    """A class that accepts what the schema of an object accepts; properties that are not required may be None.

    Raises:
        ComponentError: the schema is not of an object, or uses what cannot be translated.
    """
    return _Translation(definitions=schema.get("$defs", {})).model(schema, model_name)


@dataclass(slots=True)
class _Translation:
    definitions: Mapping[str, Any]
    _models: dict[str, Any] = field(default_factory=dict[str, Any])
    _open: set[str] = field(default_factory=set[str])

    def model(self, schema: Mapping[str, Any], name: str) -> type[BaseModel]:
        schema = self._with_all_of(schema)
        properties = schema.get("properties")
        if schema.get("type", "object") != "object" or not isinstance(properties, dict):
            raise ComponentError(f"{name}: only an object with properties can be made a class")
        required = set(cast("list[str]", schema.get("required", [])))
        fields: dict[str, Any] = {
            key: self._field(key, value, required=key in required, owner=name)
            for key, value in cast("dict[str, Any]", properties).items()
        }
        extra = "forbid" if schema.get("additionalProperties") is False else None
        config = ConfigDict(extra=extra) if extra else None
        return create_model(name, __config__=config, __doc__=schema.get("description"), **fields)

    def _field(self, key: str, schema: Mapping[str, Any], *, required: bool, owner: str) -> Any:
        annotation = self._type(schema, f"{owner}_{key}")
        if not required and "default" not in schema:
            annotation = Union[annotation, None]  # noqa: UP007 - the parts are values here
        default = ... if required and "default" not in schema else schema.get("default")
        return (
            annotation,
            Field(default, title=schema.get("title"), description=schema.get("description")),
        )

    def _type(self, schema: Mapping[str, Any], name: str) -> Any:
        if "$ref" in schema:
            return self._reference(str(schema["$ref"]))
        if "const" in schema:
            return Literal[schema["const"]]
        if "enum" in schema:
            return Literal[tuple(schema["enum"])]
        for key in ("anyOf", "oneOf"):
            if key in schema:
                options = tuple(self._type(option, f"{name}_{i}") for i, option in enumerate(schema[key]))
                return Union[options]  # noqa: UP007 - the parts are values here
        if "allOf" in schema:
            return self.model(schema, name)
        return self._plain_type(schema, name)

    def _plain_type(self, schema: Mapping[str, Any], name: str) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            options = tuple(self._type({**schema, "type": one}, name) for one in cast("list[str]", kind))
            return Union[options]  # noqa: UP007 - the parts are values here
        if kind is None:
            return Any
        if kind == "object":
            return self._object(schema, name)
        if kind == "array":
            items = schema.get("items")
            base: Any = list[self._type(items, f"{name}_item") if items else Any]
        elif kind == "string":
            base = _FORMATS.get(schema.get("format", ""), str)
        elif kind in _SIMPLE:
            base = _SIMPLE[kind]
        else:
            raise ComponentError(f"{name}: unknown type {kind!r}")
        return _constrained(base, schema)

    def _object(self, schema: Mapping[str, Any], name: str) -> Any:
        if schema.get("properties"):
            return self.model(schema, str(schema.get("title") or name))
        values = schema.get("additionalProperties")
        return dict[str, self._type(cast("dict[str, Any]", values), name) if isinstance(values, dict) else Any]

    def _reference(self, reference: str) -> Any:
        name = reference.removeprefix("#/$defs/")
        if name not in self.definitions:
            raise ComponentError(f"reference {reference!r} leads nowhere")
        if name in self._open:
            raise ComponentError(f"{name} contains itself, which is not supported")
        if name not in self._models:
            self._open.add(name)
            self._models[name] = self._type({"title": re.sub(r"\W", "_", name), **self.definitions[name]}, name)
            self._open.discard(name)
        return self._models[name]

    def _with_all_of(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        parts = [self._resolved(part) for part in schema.get("allOf", ())]
        if not parts:
            return schema
        whole = [*parts, schema]
        return {
            **{key: value for key, value in schema.items() if key != "allOf"},
            "properties": {k: v for part in whole for k, v in part.get("properties", {}).items()},
            "required": [name for part in whole for name in part.get("required", ())],
        }

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in schema:
            return self._with_all_of(schema)
        return self._with_all_of(self.definitions[str(schema["$ref"]).removeprefix("#/$defs/")])


def _constrained(base: Any, schema: Mapping[str, Any]) -> Any:
    constraints = {ours: schema[theirs] for theirs, ours in _CONSTRAINTS.items() if theirs in schema}
    return Annotated[base, Field(**constraints)] if constraints else base
