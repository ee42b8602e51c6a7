"""Agent states: snapshots and events that commits wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """An agent's state at a version: a snapshot and the events after it."""

    version: int
    snapshot: bytes | None
    """None when there are only events."""
    events: Sequence[bytes] = ()
    """The events after the snapshot, the last of which has `version`."""


class States(Protocol):
    """Reading what commits wrote; writing is part of `Lanes.commit`."""

    async def load(self, lane: bytes) -> AgentState | None:
        """Return the state of the agent whose lane this is; None when none was ever stored."""
        ...
