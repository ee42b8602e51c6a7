"""`RoundRobinGroupChat`: the participants speak in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

from pydantic import BaseModel

from agentopic.agentchat.base import ChatAgent, Team, TerminationCondition
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.agentchat.state import BaseGroupChatManagerState, RoundRobinManagerState
from agentopic.agentchat.teams._group_chat._base_group_chat import BaseGroupChat
from agentopic.agentchat.teams._group_chat._base_group_chat_manager import BaseGroupChatManager
from agentopic.agentchat.teams._group_chat._participants import load_participant
from agentopic.core import AgentRuntime, Component, ComponentModel


class RoundRobinGroupChatManager(BaseGroupChatManager):
    """Asks each participant in turn, from run to run."""

    state_class = RoundRobinManagerState
    _next_speaker_index = 0

    async def validate_group_state(self, messages: list[BaseChatMessage] | None) -> None:
        """Anything is fine."""

    async def reset(self) -> None:
        """The first participant is next."""
        self._next_speaker_index = 0

    async def select_speaker(self, thread: Sequence[BaseAgentEvent | BaseChatMessage]) -> list[str] | str:
        """The next participant."""
        chosen = self._participant_names[self._next_speaker_index % len(self._participant_names)]
        self._next_speaker_index = (self._next_speaker_index + 1) % len(self._participant_names)
        return chosen

    def selection_state(self) -> Mapping[str, Any]:
        return {"next_speaker_index": self._next_speaker_index}

    async def load_selection_state(self, state: BaseGroupChatManagerState, saved: Mapping[str, Any]) -> None:
        self._next_speaker_index = RoundRobinManagerState.model_validate(saved).next_speaker_index


class RoundRobinGroupChatConfig(BaseModel):
    """Config of RoundRobinGroupChat."""

    name: str | None = None
    description: str | None = None
    participants: list[ComponentModel]
    termination_condition: ComponentModel | None = None
    max_turns: int | None = None
    emit_team_events: bool = False


class RoundRobinGroupChat(BaseGroupChat, Component[RoundRobinGroupChatConfig]):
    """A team whose participants speak in turn, each to all others.

    A run that ends before everybody has spoken is gone on with by the next run where it has stopped. Arguments and
    errors as of BaseGroupChat.
    """

    component_config_schema = RoundRobinGroupChatConfig
    component_provider_override = "autogen_agentchat.teams.RoundRobinGroupChat"

    DEFAULT_NAME = "RoundRobinGroupChat"
    DEFAULT_DESCRIPTION = "A team of agents."

    def __init__(
        self,
        participants: list[ChatAgent | Team],
        *,
        name: str | None = None,
        description: str | None = None,
        termination_condition: TerminationCondition | None = None,
        max_turns: int | None = None,
        runtime: AgentRuntime | None = None,
        custom_message_types: list[type[BaseAgentEvent | BaseChatMessage]] | None = None,
        emit_team_events: bool = False,
    ) -> None:
        super().__init__(
            name=name or self.DEFAULT_NAME,
            description=description or self.DEFAULT_DESCRIPTION,
            participants=participants,
            group_chat_manager_name="RoundRobinGroupChatManager",
            group_chat_manager_class=RoundRobinGroupChatManager,
            termination_condition=termination_condition,
            max_turns=max_turns,
            runtime=runtime,
            custom_message_types=custom_message_types,
            emit_team_events=emit_team_events,
        )

    def _create_group_chat_manager_factory(self, **setup: Any) -> Callable[[], RoundRobinGroupChatManager]:
        return partial(RoundRobinGroupChatManager, **setup, emit_team_events=self._emit_team_events)

    def _to_config(self) -> RoundRobinGroupChatConfig:
        return RoundRobinGroupChatConfig(
            name=self.name,
            description=self.description,
            participants=[participant.dump_component() for participant in self._participants],
            termination_condition=self._termination_condition and self._termination_condition.dump_component(),
            max_turns=self._max_turns,
            emit_team_events=self._emit_team_events,
        )

    @classmethod
    def _from_config(cls, config: RoundRobinGroupChatConfig) -> Self:
        return cls(
            [load_participant(participant) for participant in config.participants],
            name=config.name,
            description=config.description,
            termination_condition=config.termination_condition
            and TerminationCondition.load_component(config.termination_condition),
            max_turns=config.max_turns,
            emit_team_events=config.emit_team_events,
        )
