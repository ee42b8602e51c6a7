"""Where in component JSON a component lies that is being loaded, so that errors can say it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError

from agentopic.errors import ComponentConfigError, ComponentError

MAX_DEPTH: Final = 64
"""How deep components may be nested in one another."""

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class _Place:
    path: str = ""
    depth: int = 0
    inner: Mapping[int, str] = field(default_factory=dict[int, str])
    """The paths of the components inside the config that is being built, by identity."""


_OUTERMOST: Final = _Place()
_current: ContextVar[_Place] = ContextVar("agentopic_component_place", default=_OUTERMOST)


def place_of(model: object) -> str:
    """The path of a component about to be loaded: empty for the outermost one.

    Raises:
        ComponentConfigError: components are nested deeper than `MAX_DEPTH`.
    """
    place = _current.get()
    path = place.inner.get(id(model), place.path)
    if place.depth >= MAX_DEPTH:
        raise located(ComponentConfigError, path, f"components are nested more than {MAX_DEPTH} deep")
    return path


@contextmanager
def inside(path: str, config: object) -> Generator[None]:
    """Remember where the components of a config lie while it is being built."""
    depth = _current.get().depth + 1
    inner = dict(_components(config, joined(path, "config"), MAX_DEPTH))
    token = _current.set(_Place(path, depth, inner))
    try:
        yield
    finally:
        _current.reset(token)


def located(kind: type[ComponentError], path: str, text: str) -> ComponentError:
    """An error that says where; its text begins with the path."""
    error = kind(f"{path}: {text}" if path else text)
    error.path = path
    return error


def misfit(path: str, error: ValidationError) -> ComponentError:
    """The error for JSON that does not fit a model at `path`: the first places that do not, and why."""
    found = [(_extended(path, detail["loc"]), detail["msg"]) for detail in error.errors(include_url=False)]
    shown = "; ".join(f"{place or 'component'}: {why}" for place, why in found[:_SHOWN])
    rest = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    misfitting = ComponentConfigError(shown + rest)
    misfitting.path = found[0][0] if found else path
    return misfitting


def joined(path: str, name: str) -> str:
    """A path and a name inside of it."""
    return f"{path}.{name}" if path else name


def _extended(path: str, location: Sequence[int | str]) -> str:
    for part in location:
        path = f"{path}[{part}]" if isinstance(part, int) else joined(path, part)
    return path


def _components(value: object, path: str, depth: int) -> Iterator[tuple[int, str]]:
    if depth == 0:
        return
    if isinstance(value, BaseModel):
        yield id(value), path
        if {"provider", "config"} <= type(value).model_fields.keys():
            return  # a component: what is in it is found when it is built itself
        for name in type(value).model_fields:
            yield from _components(getattr(value, name), joined(path, name), depth - 1)
    elif isinstance(value, dict):
        yield id(cast("object", value)), path
        for key, item in cast("dict[Any, Any]", value).items():
            yield from _components(item, joined(path, str(key)), depth - 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(cast("Sequence[Any]", value)):
            yield from _components(item, f"{path}[{index}]", depth - 1)
