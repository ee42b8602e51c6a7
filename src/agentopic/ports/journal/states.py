"""Agent states: the snapshot that a commit wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """An agent's state at a version."""

    version: int
    snapshot: bytes


class States(Protocol):
    """Reading what commits wrote; writing is part of `Lanes.commit`."""

    async def load(self, lane: bytes) -> AgentState | None:
        """Return the state of the agent whose lane this is; None when none was ever stored."""
        ...
