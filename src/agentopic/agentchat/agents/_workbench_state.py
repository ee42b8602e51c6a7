"""What an assistant's workbenches remember, as part of its saved state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from agentopic.core.tools import Workbench

_LABELS = ("type", "version")


async def save_workbenches(workbenches: Sequence[Workbench]) -> list[dict[str, Any]] | None:
    """The states in order; None when there is nothing in any of them."""
    states = [dict(await workbench.save_state()) for workbench in workbenches]
    return states if any(_holds_something(state) for state in states) else None


async def load_workbenches(workbenches: Sequence[Workbench], states: Sequence[Mapping[str, Any]]) -> None:
    """Give each workbench its saved state; ValueError when there are more or fewer of them than were saved."""
    for workbench, state in zip(workbenches, states, strict=bool(states)):
        await workbench.load_state(state)


def _holds_something(value: object) -> bool:
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return any(_holds_something(item) for name, item in items if name not in _LABELS)
    if isinstance(value, list | tuple):
        return any(_holds_something(item) for item in cast("Sequence[object]", value))
    return value is not None
