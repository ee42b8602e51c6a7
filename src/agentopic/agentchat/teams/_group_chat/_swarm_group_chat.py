"""`Swarm`: whoever speaks says by a handoff who goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

from pydantic import BaseModel

from agentopic.agentchat.base import ChatAgent, TerminationCondition
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, HandoffMessage
from agentopic.agentchat.state import BaseGroupChatManagerState, SwarmManagerState
from agentopic.agentchat.teams._group_chat._base_group_chat import BaseGroupChat
from agentopic.agentchat.teams._group_chat._base_group_chat_manager import BaseGroupChatManager
from agentopic.agentchat.teams._group_chat._participants import load_agent, require_agents
from agentopic.core import AgentRuntime, Component, ComponentModel


class SwarmGroupChatManager(BaseGroupChatManager):
    """Asks the target of the last handoff; without one, who spoke last, and the first participant at the beginning."""

    state_class = SwarmManagerState
    _current_speaker = ""

    async def validate_group_state(self, messages: list[BaseChatMessage] | None) -> None:
        """Refuse a last handoff, of the new messages or of the conversation, to whom is not in the team."""
        target = _last_target(messages or ())
        if target is not None:
            self._require(
                target,
                "The target {target} is not one of the participants {names}. If you are resuming Swarm with a new "
                "HandoffMessage make sure to set the target to a valid participant as the target.",
            )
            return
        target = _last_target(self._thread.messages)
        if target is not None:
            self._require(
                target,
                "The existing handoff target {target} is not one of the participants {names}. If you are resuming "
                "Swarm with a new task make sure to include in your task a HandoffMessage with a valid participant as "
                "the target: after a HandoffTermination the new task is such a message.",
            )

    async def reset(self) -> None:
        """The first participant is next."""
        self._current_speaker = ""

    async def select_speaker(self, thread: Sequence[BaseAgentEvent | BaseChatMessage]) -> list[str] | str:
        """The target of the last handoff; ValueError when it is not in the team."""
        target = _last_target(thread)
        if target is not None:
            self._require(target, "the handoff target {target} is not one of the participants {names}")
            self._current_speaker = target
        return self._speaker

    def selection_state(self) -> Mapping[str, Any]:
        return {"current_speaker": self._speaker}

    async def load_selection_state(self, state: BaseGroupChatManagerState, saved: Mapping[str, Any]) -> None:
        self._current_speaker = SwarmManagerState.model_validate(saved).current_speaker

    @property
    def _speaker(self) -> str:
        return self._current_speaker or self._participant_names[0]

    def _require(self, target: str, complaint: str) -> None:
        if target not in self._participant_names:
            raise ValueError(complaint.format(target=target, names=self._participant_names))


def _last_target(messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
    return next((message.target for message in reversed(messages) if isinstance(message, HandoffMessage)), None)


class SwarmConfig(BaseModel):
    """Config of Swarm."""

    name: str | None = None
    description: str | None = None
    participants: list[ComponentModel]
    termination_condition: ComponentModel | None = None
    max_turns: int | None = None
    emit_team_events: bool = False


class Swarm(BaseGroupChat, Component[SwarmConfig]):
    """A team of agents that hand the conversation over to each other; the first one begins.

    After a handoff to somebody outside of the team (see HandoffTermination), the next task is a HandoffMessage to one
    of the agents. Arguments and errors as of BaseGroupChat.

    Raises:
        TypeError: a participant is a team.
        ValueError: the first agent cannot hand over.
    """

    component_config_schema = SwarmConfig
    component_provider_override = "autogen_agentchat.teams.Swarm"

    DEFAULT_NAME = "Swarm"
    DEFAULT_DESCRIPTION = "A team of agents."

    def __init__(
        self,
        participants: list[ChatAgent],
        *,
        name: str | None = None,
        description: str | None = None,
        termination_condition: TerminationCondition | None = None,
        max_turns: int | None = None,
        runtime: AgentRuntime | None = None,
        custom_message_types: list[type[BaseAgentEvent | BaseChatMessage]] | None = None,
        emit_team_events: bool = False,
    ) -> None:
        require_agents(participants)
        super().__init__(
            name=name or self.DEFAULT_NAME,
            description=description or self.DEFAULT_DESCRIPTION,
            participants=[*participants],
            group_chat_manager_name="SwarmGroupChatManager",
            group_chat_manager_class=SwarmGroupChatManager,
            termination_condition=termination_condition,
            max_turns=max_turns,
            runtime=runtime,
            custom_message_types=custom_message_types,
            emit_team_events=emit_team_events,
        )
        if HandoffMessage not in participants[0].produced_message_types:
            raise ValueError("The first participant must be able to produce a handoff messages.")

    def _create_group_chat_manager_factory(self, **setup: Any) -> Callable[[], SwarmGroupChatManager]:
        return partial(SwarmGroupChatManager, **setup, emit_team_events=self._emit_team_events)

    def _to_config(self) -> SwarmConfig:
        return SwarmConfig(
            name=self.name,
            description=self.description,
            participants=[participant.dump_component() for participant in self._participants],
            termination_condition=self._termination_condition and self._termination_condition.dump_component(),
            max_turns=self._max_turns,
            emit_team_events=self._emit_team_events,
        )

    @classmethod
    def _from_config(cls, config: SwarmConfig) -> Self:
        return cls(
            [load_agent(participant) for participant in config.participants],
            name=config.name,
            description=config.description,
            termination_condition=config.termination_condition
            and TerminationCondition.load_component(config.termination_condition),
            max_turns=config.max_turns,
            emit_team_events=config.emit_team_events,
        )
