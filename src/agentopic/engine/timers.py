"""Timers: waiting steps that end by themselves, by the journal's clock, whatever is restarted meanwhile."""

from __future__ import annotations

import asyncio

from agentopic.engine.waits import Wait, WaitSpec


def timer(seconds: float) -> WaitSpec[None]:
    """Return the waiting step of a timer."""
    return WaitSpec(
        kind="timer",
        name="sleep",
        input=repr(float(seconds)).encode(),
        encode=lambda _: b"",
        decode=lambda _: None,
        due_seconds=max(0.0, seconds),
    )


async def until_due(wait: Wait) -> None:
    """Return when the timer fires."""
    await asyncio.sleep(wait.remaining_seconds or 0.0)
