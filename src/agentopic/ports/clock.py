"""The clock port: the only source of time in the engine."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Two readings that never stand in for each other."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, UTC. It may jump; it labels events and decides nothing."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start that go on during suspend and never run backwards."""
        ...
