"""`GraphFlow`: the speakers follow a directed graph."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

from pydantic import BaseModel

from agentopic.agentchat.base import ChatAgent, TerminationCondition
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage
from agentopic.agentchat.state import BaseGroupChatManagerState
from agentopic.agentchat.teams._group_chat._base_group_chat import BaseGroupChat
from agentopic.agentchat.teams._group_chat._base_group_chat_manager import BaseGroupChatManager
from agentopic.agentchat.teams._group_chat._graph._digraph import DiGraph
from agentopic.agentchat.teams._group_chat._graph._schedule import GraphSchedule
from agentopic.agentchat.teams._group_chat._participants import load_agent, require_agents
from agentopic.core import AgentRuntime, Component, ComponentModel


class GraphFlowManager(BaseGroupChatManager):
    """Asks all nodes that are ready, side by side; the run is complete when none is.

    Raises:
        ValueError: the graph cannot be run, or nothing limits a graph with cycles.
    """

    def __init__(self, *, graph: DiGraph, **setup: Any) -> None:
        super().__init__(**setup)
        graph.graph_validate()
        if graph.get_has_cycles() and self._termination_condition is None and self._max_turns is None:
            raise ValueError("A termination condition is required for cyclic graphs without a maximum turn limit.")
        self._schedule = GraphSchedule(graph)

    async def validate_group_state(self, messages: list[BaseChatMessage] | None) -> None:
        """Anything is fine."""

    async def reset(self) -> None:
        """Begin with the start nodes."""
        self._schedule.reset()

    async def update_message_thread(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> None:
        """Take new messages into the conversation, and see which nodes they make ready."""
        await super().update_message_thread(messages)
        for message in messages:
            if isinstance(message, BaseChatMessage):
                self._schedule.heard(message)

    async def select_speaker(self, thread: Sequence[BaseAgentEvent | BaseChatMessage]) -> list[str] | str:
        """All nodes that are ready."""
        return self._schedule.take()

    def resume_interrupted(self, names: Sequence[str]) -> None:
        """Ask those again who were speaking."""
        self._schedule.resume(names)

    def completed(self) -> StopMessage | None:
        """Whether no node is ready; the next run begins with the start nodes."""
        if not self._schedule.is_empty:
            return None
        self._schedule.reset()
        return StopMessage(content="Digraph execution is complete", source=self._name)

    def selection_state(self) -> Mapping[str, Any]:
        return self._schedule.dump()

    async def save_state(self) -> Mapping[str, Any]:
        """As AutoGen's, which says neither type nor version."""
        return {key: value for key, value in (await super().save_state()).items() if key not in {"type", "version"}}

    async def load_selection_state(self, state: BaseGroupChatManagerState, saved: Mapping[str, Any]) -> None:
        self._schedule.load(saved)


class GraphFlowConfig(BaseModel):
    """Config of GraphFlow."""

    name: str | None = None
    description: str | None = None
    participants: list[ComponentModel]
    termination_condition: ComponentModel | None = None
    max_turns: int | None = None
    graph: DiGraph


class GraphFlow(BaseGroupChat, Component[GraphFlowConfig]):
    """A team whose agents speak in the order of a graph; see DiGraphBuilder. Each hears all others.

    A run ends when the graph is complete, and the next one begins with the start nodes; one that was cut short is gone
    on with. The graph is checked when the team is first used. Arguments and errors as of BaseGroupChat.

    Raises:
        TypeError: a participant is a team.
    """

    component_config_schema = GraphFlowConfig
    component_provider_override = "autogen_agentchat.teams.GraphFlow"

    DEFAULT_NAME = "GraphFlow"
    DEFAULT_DESCRIPTION = "A team of agents"

    def __init__(
        self,
        participants: list[ChatAgent],
        graph: DiGraph,
        *,
        name: str | None = None,
        description: str | None = None,
        termination_condition: TerminationCondition | None = None,
        max_turns: int | None = None,
        runtime: AgentRuntime | None = None,
        custom_message_types: list[type[BaseAgentEvent | BaseChatMessage]] | None = None,
    ) -> None:
        require_agents(participants)
        super().__init__(
            name=name or self.DEFAULT_NAME,
            description=description or self.DEFAULT_DESCRIPTION,
            participants=[*participants],
            group_chat_manager_name="GraphManager",
            group_chat_manager_class=GraphFlowManager,
            termination_condition=termination_condition,
            max_turns=max_turns,
            runtime=runtime,
            custom_message_types=custom_message_types,
        )
        self._graph = graph

    def _create_group_chat_manager_factory(self, **setup: Any) -> Callable[[], GraphFlowManager]:
        return partial(GraphFlowManager, **setup, graph=self._graph)

    def _to_config(self) -> GraphFlowConfig:
        if any(edge.condition_function is not None for _, edge in self._graph.edges()):
            warnings.warn(
                "conditions that are functions have no JSON form: their edges become unconditional", stacklevel=3
            )
        return GraphFlowConfig(
            name=self.name,
            description=self.description,
            participants=[participant.dump_component() for participant in self._participants],
            termination_condition=self._termination_condition and self._termination_condition.dump_component(),
            max_turns=self._max_turns,
            graph=self._graph,
        )

    @classmethod
    def _from_config(cls, config: GraphFlowConfig) -> Self:
        return cls(
            [load_agent(participant) for participant in config.participants],
            config.graph,
            name=config.name,
            description=config.description,
            termination_condition=config.termination_condition
            and TerminationCondition.load_component(config.termination_condition),
            max_turns=config.max_turns,
        )
