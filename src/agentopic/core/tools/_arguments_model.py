"""The pydantic class for the arguments of a plain function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from typing import Annotated, Any, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo


def arguments_model(name: str, func: Callable[..., Any], exclude: Collection[str]) -> tuple[type[BaseModel], Any]:
    """The class of a function's arguments, and its return annotation (`inspect.Signature.empty` without one).

    The text in `Annotated[T, "text"]` or in a pydantic Field describes a parameter; otherwise its name does.

    Raises:
        ValueError: a parameter has no annotation, or an annotation cannot be resolved.
    """
    hints = _hints(func)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(func).parameters.values():
        if parameter.name in exclude:
            continue
        if parameter.name not in hints:
            raise ValueError(f"parameter {parameter.name!r} of a tool function needs a type annotation")
        fields[parameter.name] = (hints[parameter.name], _field(parameter, hints[parameter.name]))
    model = create_model(name, **fields)
    return model, hints.get("return", inspect.Signature.empty)


def _hints(func: Callable[..., Any]) -> dict[str, Any]:
    target: Any = func
    while isinstance(target, functools.partial):
        target = cast("functools.partial[Any]", target).func
    if not inspect.isroutine(target):
        target = type(target).__call__
    try:
        return get_type_hints(target, include_extras=True)
    except NameError as exc:
        raise ValueError(f"an annotation of a tool function cannot be resolved: {exc}") from exc


def _field(parameter: inspect.Parameter, hint: Any) -> Any:
    default: Any = ... if parameter.default is inspect.Parameter.empty else parameter.default
    return Field(default=default, description=_description(parameter.name, hint))


def _description(name: str, hint: Any) -> str:
    if get_origin(hint) is not Annotated:
        return name
    for metadata in get_args(hint)[1:]:
        if isinstance(metadata, str):
            return metadata
        if isinstance(metadata, FieldInfo) and metadata.description:
            return metadata.description
    return name
