"""`upcast`: how a stored state event of an older version becomes the next one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agentopic.errors import RegistrationError

Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Upcast:
    """One step from a version of a state event to the next, as declared in an agent class."""

    source: str
    target: str
    change: Change


def upcast(source: str, target: str) -> Callable[[Change], Upcast]:
    """Declare, in the body of an agent class, how events stored as `source` are read as `target`.

    The decorated function takes the fields of the old event and returns those of the new one; it has no `self`. Steps
    are chained, so that each version needs one step to the next alone. Stored events are never rewritten.

    Raises:
        RegistrationError: an event would become itself.
    """
    if source == target:
        raise RegistrationError(f"the state event {source!r} cannot be up-cast to itself: give the new version a name")

    def declare(change: Change) -> Upcast:
        return Upcast(source, target, change)

    return declare
