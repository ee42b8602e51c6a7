"""Step 4, Activate: the agent at exactly the version the journal names, from memory or made anew."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agentopic.core import Agent, AgentId, BaseAgent
from agentopic.core._kernel import Kernel
from agentopic.engine.group import StateMode
from agentopic.errors import JournalError
from agentopic.ports.journal import AgentState, StateChange
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)


@dataclass(slots=True)
class Activated:
    """An agent in memory, with the version and snapshot it stands at."""

    agent: Agent
    version: int
    snapshot: bytes | None


class Activations:
    """The instances of one agent type kept between turns, least recently used first to go.

    State `stored`: `save_state` is stored at each commit and an instance that is ahead of the journal is never used.
    State `none`: instances carry nothing from turn to turn. State `process`: an instance is the only home of its
    state; it is never put away and stays after a failed attempt.
    """

    def __init__(
        self,
        kernel: Kernel,
        load: Callable[[bytes], Awaitable[AgentState | None]],
        *,
        state: StateMode,
        limit: int,
    ) -> None:
        self._kernel, self._load = kernel, load
        self._state, self._limit = state, limit
        self._kept: OrderedDict[bytes, Activated] = OrderedDict()

    async def activate(self, agent_id: AgentId, lane: bytes, version: int) -> Activated:
        """Return the agent at this version; unless `process`, it is out of memory until `keep` puts it back."""
        kept = self._kept.get(lane) if self._state == "process" else self._kept.pop(lane, None)
        if kept is not None and kept.version == version:
            return kept
        agent = await self._kernel.instantiate(agent_id)
        if self._state == "process":
            return self._kept.setdefault(lane, Activated(agent, version, None))
        if version == 0 or self._state == "none":
            return Activated(agent, version, None)
        state = await self._load(lane)
        if state is None or state.version != version:
            raise JournalError(f"the state of {agent_id} at version {version} is not in the journal")
        await agent.load_state(json.loads(state.snapshot))
        return Activated(agent, version, state.snapshot)

    async def change(self, activated: Activated) -> StateChange | None:
        """Return the agent's state as the commit shall store it; None when it has none or it is unchanged."""
        if self._state != "stored":
            return None
        state = await activated.agent.save_state()
        snapshot = json.dumps(state, separators=(",", ":"), sort_keys=True).encode()
        if snapshot == activated.snapshot:
            return None
        return StateChange(expected=activated.version, snapshot=snapshot)

    async def keep(self, lane: bytes, activated: Activated, change: StateChange | None) -> None:
        """Keep an instance whose attempt committed; one whose attempt did not is simply never put back."""
        if change is not None:
            activated.version, activated.snapshot = change.expected + 1, change.snapshot
        self._kept[lane] = activated
        while len(self._kept) > self._limit and self._state != "process":
            _, oldest = self._kept.popitem(last=False)
            await _close(oldest.agent)

    async def aclose(self) -> None:
        """Close every instance kept."""
        while self._kept:
            _, activated = self._kept.popitem()
            await _close(activated.agent)


async def _close(agent: Agent) -> None:
    # Its turns are committed: what its farewell raises is told, and stops nobody.
    (outcome,) = await asyncio.gather(agent.close(), return_exceptions=True)
    if outcome is not None:
        log.error("an agent failed to close", agent=str(agent.id), error=repr(outcome))


def keeps_state(agent_class: type) -> bool:
    """Whether a class saves its state: it overrides `save_state`."""
    return getattr(agent_class, "save_state", None) is not BaseAgent.save_state
