"""`AgentType`: the name under which agents of one kind are registered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=True)
class AgentType:
    """A registered agent type."""

    type: str
    """The name; word characters, dashes and dots (checked where an `AgentId` is made of it)."""
