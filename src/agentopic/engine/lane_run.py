"""A lane that runs here: its task, its hold on a slot, and the attempt it is at."""

from __future__ import annotations

import asyncio

from agentopic.engine.attempt import Attempt, Sleepers
from agentopic.engine.slots import Slot
from agentopic.ports.journal import Started


class LaneRun:
    """One lane under one token."""

    __slots__ = ("_pos", "_sleepers", "attempt", "is_aborted", "must_look", "next", "slot", "started", "task")

    def __init__(self, started: Started, slot: Slot, sleepers: Sleepers) -> None:
        self.started, self.slot = started, slot
        self._sleepers = sleepers
        self._pos = started.pos
        self.next: Started | None = None
        """A delivery the journal has started in this lane before its task knew that there was nothing more to run."""
        self.task: asyncio.Task[None] | None = None
        self.attempt: Attempt | None = None
        """The attempt that can be cancelled, or given results; None between two turns."""
        self.is_aborted = False
        """Whether this incarnation has cut it off; any other cancellation is not the engine's."""
        self.must_look = False
        """Whether a cancellation was told of between two turns: which of them it means, the journal says."""

    def begin(self, started: Started) -> Attempt:
        """Begin with a turn."""
        self._pos = started.pos
        if self.next is not None and self.next.pos == started.pos:
            self.next = None  # the journal was read back while this turn was about to begin
        self.attempt = Attempt(started, self.slot, self._sleepers)
        return self.attempt

    def given(self, started: Started) -> None:
        """Note what the journal says runs in this lane: the turn at hand, or one that came as the lane was ending."""
        if started.pos != self._pos:
            self.next = started

    def cancel(self) -> None:
        """Cancel the turn at hand."""
        if self.attempt is None:
            self.must_look = True
        else:
            self.attempt.cancel()

    def abort(self) -> None:
        """Cut the turn off; nothing of it is committed."""
        self.is_aborted = True
        if self.attempt is not None:
            self.attempt.over = "aborted"
        if self.task is not None:
            self.task.cancel()
