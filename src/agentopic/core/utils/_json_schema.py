"""Makes pydantic classes from JSON Schemas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, ForwardRef, Literal, Union, cast

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaError

from agentopic.core.utils._schema_formats import FORMATS, SIMPLE, limited
from agentopic.errors import ComponentError

_MAX_DEPTH: Final = 60


def schema_to_pydantic_model(schema: dict[str, Any], model_name: str = "GeneratedModel") -> type[BaseModel]:
    """A class that accepts what the schema of an object accepts; properties that are not required may be None.

    Definitions may contain themselves. An unknown `format` is not checked.

    Raises:
        ComponentError: the schema is malformed, is not of an object, or uses what cannot be translated.
    """
    translation = _Translation(definitions=_mapping(schema.get("$defs", {}), "$defs"))
    try:
        model = translation.root(schema, model_name)
        translation.complete()
    except (PydanticUserError, SchemaError, NameError, TypeError, ValueError) as exc:
        if isinstance(exc, ComponentError):
            raise
        raise ComponentError(f"{model_name}: the schema cannot be made a class: {exc}") from exc
    return model


@dataclass(slots=True)
class _Translation:
    definitions: Mapping[str, Any]
    _types: dict[str, Any] = field(default_factory=dict[str, Any])
    _open: list[str] = field(default_factory=list[str])
    _cyclic: set[str] = field(default_factory=set[str])
    _made: list[type[BaseModel]] = field(default_factory=list[type[BaseModel]])
    _depth: int = 0

    def root(self, schema: Mapping[str, Any], name: str) -> type[BaseModel]:
        if "$ref" in schema:
            schema = {**self._definition(str(schema["$ref"])), **{k: v for k, v in schema.items() if k != "$ref"}}
        return self.model(schema, name)

    def model(self, schema: Mapping[str, Any], name: str) -> type[BaseModel]:
        schema = self._with_all_of(schema)
        if schema.get("type", "object") != "object":
            raise ComponentError(f"{name}: only an object can be made a class, not {schema['type']!r}")
        required = set(cast("Sequence[str]", schema.get("required", [])))
        fields: dict[str, Any] = {
            key: self._field(key, _mapping(value, f"{name}.{key}"), required=key in required, owner=name)
            for key, value in _mapping(schema.get("properties", {}), f"{name}.properties").items()
        }
        config = ConfigDict(extra="forbid") if schema.get("additionalProperties") is False else None
        made = create_model(name, __config__=config, __doc__=schema.get("description"), **fields)
        self._made.append(made)
        return made

    def complete(self) -> None:
        """Put the classes in place of the references to definitions that contain themselves."""
        namespace = {_alias(name): self._types[name] for name in self._cyclic}
        for made in self._made:
            if namespace:
                made.model_rebuild(force=True, _types_namespace=namespace)

    def _field(self, key: str, schema: Mapping[str, Any], *, required: bool, owner: str) -> Any:
        annotation = self._type(schema, f"{owner}_{key}")
        default = ... if required else schema.get("default")
        if default is None:
            annotation = Union[annotation, None]  # noqa: UP007 - the parts are values here
        return annotation, Field(default, title=schema.get("title"), description=schema.get("description"))

    def _type(self, schema: Mapping[str, Any], name: str) -> Any:
        if self._depth >= _MAX_DEPTH:
            raise ComponentError(f"{name}: the schema is nested more than {_MAX_DEPTH} deep")
        self._depth += 1
        try:
            return self._any_type(schema, name)
        finally:
            self._depth -= 1

    def _any_type(self, schema: Mapping[str, Any], name: str) -> Any:
        if "$ref" in schema:
            return self._reference(str(schema["$ref"]))
        if "const" in schema:
            return Literal[schema["const"]]
        if "enum" in schema:
            return Literal[tuple(schema["enum"])] if schema["enum"] else Any
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._union(schema, schema[key], name)
        if "allOf" in schema:
            return self.model(schema, name)
        return self._plain_type(schema, name)

    def _union(self, schema: Mapping[str, Any], options: Sequence[Any], name: str) -> Any:
        types = tuple(self._type(_mapping(option, name), f"{name}_{i}") for i, option in enumerate(options))
        union: Any = Union[types]  # noqa: UP007 - the parts are values here
        told_by = _mapping(schema.get("discriminator", {}), name).get("propertyName")
        return Annotated[union, Field(discriminator=told_by)] if told_by and len(types) > 1 else union

    def _plain_type(self, schema: Mapping[str, Any], name: str) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._union({}, [{**schema, "type": one} for one in cast("list[str]", kind)], name)
        if kind is None and "properties" not in schema:
            return Any
        if kind in {"object", None}:
            return self._object(schema, name)
        if kind == "array":
            items = schema.get("items")
            item: Any = self._type(_mapping(items, name), f"{name}_item") if isinstance(items, Mapping) else Any
            return limited(list[item], schema)
        if kind not in SIMPLE:
            raise ComponentError(f"{name}: unknown type {kind!r}")
        return limited(FORMATS.get(schema.get("format", ""), SIMPLE[str(kind)]), schema)

    def _object(self, schema: Mapping[str, Any], name: str) -> Any:
        if schema.get("properties"):
            return self.model(schema, _class_name(str(schema.get("title") or name)))
        values = schema.get("additionalProperties")
        return dict[str, self._type(_mapping(values, name), name) if isinstance(values, Mapping) else Any]

    def _reference(self, reference: str) -> Any:
        name = reference.removeprefix("#/$defs/")
        definition = self._definition(reference)
        if name in self._open:
            self._cyclic.add(name)
            return ForwardRef(_alias(name))
        if name not in self._types:
            self._open.append(name)
            self._types[name] = found = self._type({"title": name, **definition}, _class_name(name))
            self._open.pop()
            if name in self._cyclic and not (isinstance(found, type) and issubclass(found, BaseModel)):
                raise ComponentError(f"definition {name!r} contains itself and is no object")
        return self._types[name]

    def _definition(self, reference: str) -> Mapping[str, Any]:
        name = reference.removeprefix("#/$defs/")
        if name not in self.definitions:
            raise ComponentError(f"reference {reference!r} leads nowhere: known are {sorted(self.definitions)}")
        return _mapping(self.definitions[name], reference)

    def _with_all_of(self, schema: Mapping[str, Any], seen: tuple[str, ...] = ()) -> Mapping[str, Any]:
        parts = [self._resolved(_mapping(part, "allOf"), seen) for part in schema.get("allOf", ())]
        if not parts:
            return schema
        whole = [*parts, schema]
        return {
            **{key: value for key, value in schema.items() if key != "allOf"},
            "properties": {k: v for part in whole for k, v in part.get("properties", {}).items()},
            "required": [name for part in whole for name in part.get("required", ())],
        }

    def _resolved(self, schema: Mapping[str, Any], seen: tuple[str, ...]) -> Mapping[str, Any]:
        if "$ref" not in schema:
            return self._with_all_of(schema, seen)
        reference = str(schema["$ref"])
        if reference in seen:
            raise ComponentError(f"reference {reference!r} is made of itself")
        return self._with_all_of(self._definition(reference), (*seen, reference))


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if value is True:
        return {}
    if not isinstance(value, Mapping):
        raise ComponentError(f"{where}: {str(value)[:80]!r} is no schema")
    return cast("Mapping[str, Any]", value)


def _class_name(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _alias(definition: str) -> str:
    return f"Definition_{definition.encode().hex()}"
