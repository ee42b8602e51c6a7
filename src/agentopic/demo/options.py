"""What the demo is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DEFAULT_TASKS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """How the demo runs."""

    transport: Literal["sqlite", "kafka"] = "sqlite"
    tasks: int = DEFAULT_TASKS
    runtime_type: Literal["local", "distributed"] | None = None
    """None: as the settings say."""
    keep: bool = False
    """Whether later runs leave this run's directory alone."""
    output: Literal["table", "json"] = "table"
    progress: bool = True
