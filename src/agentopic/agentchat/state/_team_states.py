"""The saved states of teams, of their managers and of the containers of their participants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from agentopic.agentchat.state._agent_states import BaseState


class TeamState(BaseState):
    """A team: the states of its participants and its manager by name."""

    type: str = Field(default="TeamState")
    agent_states: Mapping[str, Any] = Field(default_factory=dict[str, Any])


class ChatAgentContainerState(BaseState):
    """A participant: its own state, and what it has not been told yet."""

    type: str = Field(default="ChatAgentContainerState")
    agent_state: Mapping[str, Any] = Field(default_factory=dict[str, Any])
    message_buffer: list[Mapping[str, Any]] = Field(default_factory=list[Mapping[str, Any]])


class BaseGroupChatManagerState(BaseState):
    """What every manager keeps: the conversation, and how many group-chat turns the run had so far."""

    type: str = Field(default="BaseGroupChatManagerState")
    message_thread: list[Mapping[str, Any]] = Field(default_factory=list[Mapping[str, Any]])
    current_turn: int = Field(default=0)


class RoundRobinManagerState(BaseGroupChatManagerState):
    """A round-robin team's manager."""

    type: str = Field(default="RoundRobinManagerState")
    next_speaker_index: int = Field(default=0)


class SelectorManagerState(BaseGroupChatManagerState):
    """The manager of a team whose speakers are selected by a model."""

    type: str = Field(default="SelectorManagerState")
    previous_speaker: str | None = Field(default=None)


class SwarmManagerState(BaseGroupChatManagerState):
    """A swarm's manager."""

    type: str = Field(default="SwarmManagerState")
    current_speaker: str = Field(default="")


class MagenticOneOrchestratorState(BaseGroupChatManagerState):
    """A Magentic-One team's orchestrator."""

    type: str = Field(default="MagenticOneOrchestratorState")
    task: str = Field(default="")
    facts: str = Field(default="")
    plan: str = Field(default="")
    n_rounds: int = Field(default=0)
    n_stalls: int = Field(default=0)
