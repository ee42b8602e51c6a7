"""`ManagerProgress`: where a run is, for a manager that may be put away between any two messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel


class _Saved(BaseModel):
    run: int = 0
    is_open: bool = False
    active_speakers: list[str] = []
    condition: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class ManagerProgress:
    """The number of the run, whether it goes on, and who was asked to speak and has not yet."""

    run: int = 0
    is_open: bool = False
    active_speakers: list[str] = field(default_factory=list[str])

    def begin(self, run: int) -> None:
        """A run has begun."""
        self.run = run
        self.is_open = True
        self.active_speakers = []

    def end(self) -> None:
        """The run is over; what still comes of it is late."""
        self.is_open = False

    def forget(self) -> None:
        """The run is over, and nobody is asked any more."""
        self.is_open = False
        self.active_speakers = []

    def is_of(self, run: int) -> bool:
        """Whether a message of this run is wanted."""
        return self.is_open and run == self.run

    def dump(self, condition: Mapping[str, Any] | None) -> dict[str, Any]:
        """All of it, with the state of the termination condition, as JSON."""
        return {
            "run": self.run,
            "is_open": self.is_open,
            "active_speakers": [*self.active_speakers],
            "condition": None if condition is None else dict(condition),
        }

    def load(self, state: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Take over what a manager's state says of it, and return the condition's state; AutoGen's says nothing."""
        loaded = _Saved.model_validate(state.get("progress", {}))
        self.run = max(self.run, loaded.run)
        self.is_open = loaded.is_open
        self.active_speakers = loaded.active_speakers
        return loaded.condition

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        """What a manager's state says."""
        progress = cls()
        progress.load(state)
        return progress

    @property
    def is_cut_short(self) -> bool:
        """Whether the last run did not come to its end."""
        return self.is_open or bool(self.active_speakers)
