"""Which classes a signature's annotations name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from agentopic.errors import RegistrationError


def declared_types(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the annotation alone; None counts as its class."""
    if get_origin(annotation) in (Union, UnionType):
        return tuple(member for part in get_args(annotation) for member in declared_types(part))
    return (NoneType,) if annotation is None else (annotation,)


def handler_types(function: Callable[..., Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What a handler takes as `message` and what it returns.

    Raises:
        RegistrationError: it is not async, has no parameter `message`, or an annotation is missing.
    """
    name = getattr(function, "__qualname__", repr(function))
    call = function if inspect.isroutine(function) else type(function).__call__
    if not inspect.iscoroutinefunction(call):
        raise RegistrationError(f"handler {name} must be an async function")
    try:
        hints = get_type_hints(call)
    except NameError as error:
        raise RegistrationError(
            f"an annotation of handler {name} cannot be resolved ({error}): define its classes at module "
            "level, or do without 'from __future__ import annotations'"
        ) from error
    if "message" not in hints:
        raise RegistrationError(f"handler {name} needs a parameter named 'message' with a type annotation")
    if "return" not in hints:
        raise RegistrationError(f"handler {name} needs a return annotation")
    return declared_types(hints["message"]), declared_types(hints["return"])
