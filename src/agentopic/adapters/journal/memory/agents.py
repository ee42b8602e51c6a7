"""Agent states of the memory journal."""

from __future__ import annotations

from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import AgentEntry, LaneEntry
from agentopic.ports.journal import AgentState, StateChange


def version_of(store: MemoryStore, lane: bytes) -> int:
    """Return the version of an agent's state; 0 when none is stored."""
    agent = store.agents.get(lane)
    return 0 if agent is None else agent.version


def change(store: MemoryStore, lane: LaneEntry, change: StateChange) -> None:
    """Store the next state; a snapshot drops the events it has folded."""
    agent = store.agents.setdefault(lane.id, AgentEntry(group=lane.group))
    agent.group, agent.version = lane.group, change.version
    if change.snapshot is None:
        agent.events.update(enumerate(change.events, change.expected + 1))
    else:
        agent.snapshot, agent.snapshot_version, agent.events = change.snapshot, change.version, {}


def load(store: MemoryStore, lane: bytes) -> AgentState | None:
    """Return the state of the agent whose lane this is."""
    agent = store.agents.get(lane)
    if agent is None:
        return None
    return AgentState(version=agent.version, snapshot=agent.snapshot, events=tuple(agent.events.values()))
