"""What a run ends with."""

from __future__ import annotations

from dataclasses import dataclass

from agentopic.demo.figures import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """The figures of a run, and how it was run."""

    figures: Figures
    road: str
    """Transport and journal, or that there was none."""
    runtime_type: str
    model: str
    scripted: bool
    """Whether a script stood in for the model."""
    killed: str | None
    """The worker that was killed."""
    seconds: float
    directory: str
    look: str
    """A command that prints the output events."""

    @property
    def ok(self) -> bool:
        """Whether every figure is right."""
        return not self.figures.faults
