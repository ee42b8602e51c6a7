"""What waits and for how long, the same for every journal."""

from __future__ import annotations

from agentopic.ports.journal import StepIntent

WAITING_KINDS = ("request", "timer", "human")
"""Steps that cost nothing while they are open: a turn with only these open is suspended."""
RUN_SECONDS = 86_400.0
"""How long a cancelled run is known."""


def due_at_ms(now_ms: int, intent: StepIntent) -> int | None:
    """Return when an intent is due: its own time from now on, but not after an inherited one."""
    if intent.due_seconds is None:
        return intent.due_ms
    own = now_ms + round(intent.due_seconds * 1000)
    return own if intent.due_ms is None else min(own, intent.due_ms)
