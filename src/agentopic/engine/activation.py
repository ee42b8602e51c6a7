"""Step 4, Activate: the agent at exactly the version the journal names, from memory or made anew."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

from agentopic.core import Agent, AgentId, BaseAgent, EventSourcedAgent
from agentopic.core._kernel import Kernel
from agentopic.engine.group import StateMode
from agentopic.engine.stored_state import restore, write_snapshot
from agentopic.errors import JournalError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import AgentState, StateChange
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)


@dataclass(slots=True)
class Activated:
    """An agent in memory and where it stands."""

    agent: Agent
    version: int
    digest: bytes | None = None
    """Of the snapshot it was loaded from or that was stored last; None when there is none, or events come after it."""
    snapshot_version: int = 0
    """Version of the last stored snapshot; 0: none."""
    used: float = 0.0
    """When its last turn ended, by the monotonic clock."""


class Activations:
    """The instances of one agent type kept between turns, least recently used first to go.

    State `stored`: what `save_state` returns, or the events recorded, is stored at each commit, and an instance that
    is ahead of the journal is never used. State `none`: instances carry nothing from turn to turn. State `process`: an
    instance is the only home of its state; it is never put away and stays after a failed attempt.
    """

    def __init__(
        self,
        kernel: Kernel,
        load: Callable[[bytes], Awaitable[AgentState | None]],
        *,
        state: StateMode,
        limit: int,
        clock: Clock,
    ) -> None:
        self._kernel, self._load = kernel, load
        self._state, self._limit, self._clock = state, limit, clock
        self._kept: OrderedDict[bytes, Activated] = OrderedDict()
        self._hears_faults = True
        self._known: type[Agent] | None = None
        """The class of the instance that was looked at last."""

    def __len__(self) -> int:
        """Return the number of instances kept."""
        return len(self._kept)

    @property
    def are_process_lived(self) -> bool:
        """Whether instances are the only home of their state."""
        return self._state == "process"

    @property
    def hears_faults(self) -> bool:
        """Whether agents of this type want to know of deliveries given up; assumed before the first one is made."""
        return self._hears_faults

    @property
    def oldest(self) -> float:
        """When the instance that goes first was last used; infinity when none may go."""
        if not self._kept or self._state == "process":
            return float("inf")
        return next(iter(self._kept.values())).used

    async def activate(self, agent_id: AgentId, lane: bytes, version: int) -> Activated:
        """Return the agent at this version; unless `process`, it is out of memory until `keep` puts it back.

        Raises:
            StateVersionError: its stored state is of a form that its code cannot read.
            JournalError: the journal does not hold the version it named.
        """
        activated = await self._activate(agent_id, lane, version)
        recorder = _recorder(activated.agent)
        if recorder is not None:
            recorder.begin_recording()
        return activated

    async def _activate(self, agent_id: AgentId, lane: bytes, version: int) -> Activated:
        kept = self._kept.get(lane) if self._state == "process" else self._kept.pop(lane, None)
        if kept is not None:
            if kept.version == version or self._state == "process":
                return kept
            await _close(kept.agent)  # another process has run turns of this agent meanwhile
        agent = await self._kernel.instantiate(agent_id)
        self._look_at(agent)
        if self._state == "process":
            return self._kept.setdefault(lane, Activated(agent, version))
        if version == 0 or self._state == "none":
            return Activated(agent, version)
        stored = await self._load(lane)
        if stored is None or stored.version != version:
            raise JournalError(f"the state of {agent_id} at version {version} is not in the journal")
        await restore(agent, stored)
        digest = None if stored.events or stored.snapshot is None else _digest(stored.snapshot)
        return Activated(agent, version, digest, version - len(stored.events) if stored.snapshot is not None else 0)

    def _look_at(self, agent: Agent) -> None:
        """Learn from an instance what only it tells where the factory is a plain function."""
        kind = type(agent)
        if kind is self._known:
            return
        self._known = kind
        if isinstance(agent, BaseAgent):
            agent.declare_payloads(self._kernel.add_message_serializer)
        self._hears_faults = getattr(kind, "on_fault", BaseAgent.on_fault) is not BaseAgent.on_fault
        if self._state == "stored" and not keeps_state(kind):
            # Its state would be lost without a word at the first restart, and be that of a failed attempt before.
            self._state = "process"
            log.warning("an agent class keeps no state: it is gone with this process", agent_class=kind.__name__)

    async def change(self, activated: Activated) -> StateChange | None:
        """Return the agent's state as the commit shall store it; None when it has none or it is unchanged."""
        agent = activated.agent
        recorder = _recorder(agent)
        if recorder is not None:
            events = recorder.end_recording()
            return await _recorded(recorder, activated, events) if events and self._state == "stored" else None
        if self._state != "stored":
            return None
        snapshot = write_snapshot(agent, await agent.save_state())
        if _digest(snapshot) == activated.digest:
            return None
        return StateChange(expected=activated.version, snapshot=snapshot)

    async def keep(self, lane: bytes, activated: Activated, change: StateChange | None) -> None:
        """Keep an instance whose attempt committed; one whose attempt did not is simply never put back."""
        if change is not None:
            activated.version = change.version
            activated.digest = None if change.snapshot is None else _digest(change.snapshot)
            if change.snapshot is not None:
                activated.snapshot_version = change.version
        activated.used = self._clock.monotonic()
        self._kept[lane] = activated
        self._kept.move_to_end(lane)
        if len(self._kept) > self._limit:
            await self.put_away(1)

    async def put_away(self, count: int, *, unused_since: float = float("inf")) -> int:
        """Close up to `count` instances last used before a time, oldest first, and return how many there were."""
        closed = 0
        while closed < count and self.oldest < float("inf") and self.oldest <= unused_since:
            _, oldest = self._kept.popitem(last=False)
            await _close(oldest.agent)
            closed += 1
        return closed

    async def aclose(self) -> None:
        """Close every instance kept."""
        while self._kept:
            _, activated = self._kept.popitem()
            await _close(activated.agent)


def _recorder(agent: Agent) -> EventSourcedAgent[Any] | None:
    return cast("EventSourcedAgent[Any]", agent) if _records_events(type(agent)) else None


@lru_cache(maxsize=256)
def _records_events(agent_class: type) -> bool:
    # Asked several times a turn, and a check against a protocol's subclass takes long.
    return issubclass(agent_class, EventSourcedAgent)


async def _recorded(agent: EventSourcedAgent[Any], activated: Activated, events: tuple[bytes, ...]) -> StateChange:
    expected = activated.version
    is_due = expected + len(events) - activated.snapshot_version >= agent.snapshot_every
    snapshot = write_snapshot(agent, await agent.save_state()) if is_due else None
    return StateChange(expected=expected, snapshot=snapshot, events=events)


def _digest(snapshot: bytes) -> bytes:
    # Instead of the snapshot itself, which would double what ten thousand idle agents take.
    return blake2b(snapshot, digest_size=16).digest()


async def _close(agent: Agent) -> None:
    # Its turns are committed: what its farewell raises is told, and stops nobody.
    (outcome,) = await asyncio.gather(agent.close(), return_exceptions=True)
    if outcome is not None:
        log.error("an agent failed to close", agent=str(agent.id), error=repr(outcome))


def keeps_state(agent_class: type) -> bool:
    """Whether a class keeps its state: it overrides `save_state`, as event-sourced agents do."""
    return getattr(agent_class, "save_state", None) is not BaseAgent.save_state
