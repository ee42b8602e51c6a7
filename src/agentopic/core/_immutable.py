"""`immutable`: values that are made many times a turn and never changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def immutable(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass with slots and keyword arguments, frozen for the type checker alone.

    Equal and hashed by value. At run time nothing keeps an attribute from being set: refusing that makes the
    instances two to four times as expensive, and a turn makes a dozen of them.
    """
    make: Callable[[type[T]], type[T]] = dataclass(slots=True, kw_only=True, unsafe_hash=True)
    return make(cls)
