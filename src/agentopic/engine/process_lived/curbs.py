"""Curbs: which runs no process-lived handler is begun for any more, and which agents are to begin none for now."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from agentopic.core import AgentId
from agentopic.engine.process_lived.causes import run_of
from agentopic.envelope import Envelope
from agentopic.errors import RequestCancelledError

RUNS_KEPT = 10_000


class Curbs:
    """What the control client has told this process. Nothing of it outlives the process."""

    def __init__(self) -> None:
        self._cancelled: OrderedDict[str, None] = OrderedDict()
        self._paused: dict[AgentId, asyncio.Event] = {}

    def cancel(self, run: str) -> None:
        """Begin nothing of a run from now on; the last 10,000 cancelled runs are known."""
        self._cancelled[run] = None
        self._cancelled.move_to_end(run)
        if len(self._cancelled) > RUNS_KEPT:
            self._cancelled.popitem(last=False)

    def pause(self, agent: AgentId) -> None:
        """Have an agent, named as inside, begin nothing until `resume`."""
        self._paused.setdefault(agent, asyncio.Event())

    def resume(self, agent: AgentId) -> None:
        """Let an agent go on, with what has come first."""
        paused = self._paused.pop(agent, None)
        if paused is not None:
            paused.set()

    async def passed(self, agent: AgentId, cause: Envelope | None) -> None:
        """Return once an agent may begin to handle what belongs to the run of `cause`.

        Raises:
            RequestCancelledError: the run has been cancelled.
        """
        while (paused := self._paused.get(agent)) is not None:
            await paused.wait()
        if cause is not None and run_of(cause) in self._cancelled:
            raise RequestCancelledError(f"run {run_of(cause)!r} was cancelled before {agent} had begun its part")
