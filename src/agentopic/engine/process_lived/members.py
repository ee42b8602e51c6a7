"""Members: which agent types live with this process, and their names inside and outside of it."""

from __future__ import annotations

from collections.abc import Callable

from agentopic.core import AgentId
from agentopic.engine.mesh_names import mesh_type, parse_mesh_type


class Members:
    """The process-lived agent types of one runtime."""

    def __init__(self, process: Callable[[], str]) -> None:
        """Ask `process` for the id of this process on the mesh."""
        self._process = process
        self._types: dict[str, None] = {}

    def __len__(self) -> int:
        """Return how many types there are."""
        return len(self._types)

    def __contains__(self, agent_type: str) -> bool:
        """Whether agents of this type live with this process."""
        return agent_type in self._types

    def add(self, agent_type: str) -> bool:
        """Note a type; whether it is new."""
        is_new = agent_type not in self._types
        self._types[agent_type] = None
        return is_new

    @property
    def process(self) -> str:
        """Id of this process on the mesh."""
        return self._process()

    def inside(self, agent: AgentId) -> AgentId:
        """Return what an agent is called in this process, also one that is of this process."""
        name = parse_mesh_type(agent.type)
        is_mine = name is not None and name.process == self.process and name.agent_type in self._types
        return AgentId(name.agent_type, agent.key) if name is not None and is_mine else agent

    def outside(self, agent: AgentId) -> AgentId:
        """Return what an agent is called everywhere, also one that lives with this process."""
        return AgentId(mesh_type(agent.type, self.process), agent.key) if agent.type in self._types else agent

    def here(self, agent: AgentId) -> AgentId | None:
        """Return the name inside of this process of an agent that lives with it; None for all others."""
        inside = self.inside(agent)
        return inside if inside.type in self._types else None
