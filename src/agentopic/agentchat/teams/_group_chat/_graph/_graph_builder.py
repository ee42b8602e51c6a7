"""`DiGraphBuilder`: writes a DiGraph down step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Self

from agentopic.agentchat.base import ChatAgent
from agentopic.agentchat.messages import BaseChatMessage
from agentopic.agentchat.teams._group_chat._graph._digraph import DiGraph, DiGraphEdge, DiGraphNode


class DiGraphBuilder:
    """Collects agents and the ways between them; agents are named by themselves or by their names.

    Each method but `build` and `get_participants` returns the builder, so that calls can be chained.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, DiGraphNode] = {}
        self.agents: dict[str, ChatAgent] = {}
        self._default_start_node: str | None = None

    def add_node(self, agent: ChatAgent, activation: Literal["all", "any"] = "all") -> Self:
        """Add an agent; one that is there already stays as it is."""
        if agent.name not in self.nodes:
            self.nodes[agent.name] = DiGraphNode(name=agent.name, edges=[], activation=activation)
            self.agents[agent.name] = agent
        return self

    def add_edge(
        self,
        source: str | ChatAgent,
        target: str | ChatAgent,
        condition: str | Callable[[BaseChatMessage], bool] | None = None,
        activation_group: str | None = None,
        activation_condition: Literal["all", "any"] | None = None,
    ) -> Self:
        """Add a way from one agent to another; see DiGraphEdge.

        Raises:
            ValueError: one of them is not added yet.
        """
        source_name, target_name = _name_of(source), _name_of(target)
        if source_name not in self.nodes:
            raise ValueError(f"Source node '{source_name}' must be added before adding an edge.")
        if target_name not in self.nodes:
            raise ValueError(f"Target node '{target_name}' must be added before adding an edge.")
        edge = DiGraphEdge(
            target=target_name,
            condition=condition,
            activation_group=activation_group or target_name,
            activation_condition=activation_condition or "all",
        )
        self.nodes[source_name].edges.append(edge)
        return self

    def add_conditional_edges(self, source: str | ChatAgent, condition_to_target: dict[str, str | ChatAgent]) -> Self:
        """Add one way for each text that the source's message may hold; ValueError as of `add_edge`."""
        for condition, target in condition_to_target.items():
            self.add_edge(source, target, condition)
        return self

    def set_entry_point(self, name: str | ChatAgent) -> Self:
        """Have this agent begin; ValueError when it is not added yet."""
        node_name = _name_of(name)
        if node_name not in self.nodes:
            raise ValueError(f"Start node '{node_name}' must be added before setting as entry point.")
        self._default_start_node = node_name
        return self

    def build(self) -> DiGraph:
        """The graph; ValueError when it cannot be run."""
        graph = DiGraph(nodes=self.nodes, default_start_node=self._default_start_node)
        graph.graph_validate()
        return graph

    def get_participants(self) -> list[ChatAgent]:
        """The agents, in the order they were added."""
        return [*self.agents.values()]


def _name_of(agent: str | ChatAgent) -> str:
    return agent if isinstance(agent, str) else agent.name
