"""`SelectorGroupChat`: a model, or a function, chooses who speaks next."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self

from pydantic import BaseModel

from agentopic.agentchat.base import ChatAgent, Team, TerminationCondition
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.agentchat.teams._group_chat._base_group_chat import BaseGroupChat
from agentopic.agentchat.teams._group_chat._participants import load_participant
from agentopic.agentchat.teams._group_chat._selector_group_chat_manager import (
    CandidateFuncType,
    SelectorFuncType,
    SelectorGroupChatManager,
)
from agentopic.agentchat.teams._group_chat._speaker_choice import DEFAULT_PROMPT
from agentopic.core import AgentRuntime, Component, ComponentModel
from agentopic.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from agentopic.core.models import ChatCompletionClient


class SelectorGroupChatConfig(BaseModel):
    """Config of SelectorGroupChat."""

    name: str | None = None
    description: str | None = None
    participants: list[ComponentModel]
    model_client: ComponentModel
    termination_condition: ComponentModel | None = None
    max_turns: int | None = None
    selector_prompt: str
    allow_repeated_speaker: bool
    max_selector_attempts: int = 3
    emit_team_events: bool = False
    model_client_streaming: bool = False
    model_context: ComponentModel | None = None


class SelectorGroupChat(BaseGroupChat, Component[SelectorGroupChatConfig]):
    """A team in which a model chooses the next speaker after each group-chat turn.

    Args:
        participants: two at least; other arguments and errors as of BaseGroupChat.
        model_client: the model that chooses.
        selector_prompt: what it is asked, with the fields {roles}, {participants} and {history}.
        allow_repeated_speaker: whether who spoke last may speak again.
        max_selector_attempts: how often it is asked; then who spoke last goes on, or the first participant.
        selector_func: asked first, sync or async; the model is asked where it returns None.
        candidate_func: gives those among whom the model chooses, sync or async; with it, repeating is up to it.
        model_client_streaming: ask by streaming; with `emit_team_events` the pieces are put out.
        model_context: which messages the model is told; all unless given.

    Raises:
        ValueError: there are fewer than two participants.
    """

    component_config_schema = SelectorGroupChatConfig
    component_provider_override = "autogen_agentchat.teams.SelectorGroupChat"

    DEFAULT_NAME = "SelectorGroupChat"
    DEFAULT_DESCRIPTION = "A team of agents."

    def __init__(
        self,
        participants: list[ChatAgent | Team],
        model_client: ChatCompletionClient,
        *,
        name: str | None = None,
        description: str | None = None,
        termination_condition: TerminationCondition | None = None,
        max_turns: int | None = None,
        runtime: AgentRuntime | None = None,
        selector_prompt: str = DEFAULT_PROMPT,
        allow_repeated_speaker: bool = False,
        max_selector_attempts: int = 3,
        selector_func: SelectorFuncType | None = None,
        candidate_func: CandidateFuncType | None = None,
        custom_message_types: list[type[BaseAgentEvent | BaseChatMessage]] | None = None,
        emit_team_events: bool = False,
        model_client_streaming: bool = False,
        model_context: ChatCompletionContext | None = None,
    ) -> None:
        super().__init__(
            name=name or self.DEFAULT_NAME,
            description=description or self.DEFAULT_DESCRIPTION,
            participants=participants,
            group_chat_manager_name="SelectorGroupChatManager",
            group_chat_manager_class=SelectorGroupChatManager,
            termination_condition=termination_condition,
            max_turns=max_turns,
            runtime=runtime,
            custom_message_types=custom_message_types,
            emit_team_events=emit_team_events,
        )
        if len(participants) < 2:
            raise ValueError("At least two participants are required for SelectorGroupChat.")
        self._model_client = model_client
        self._selector_prompt = selector_prompt
        self._allow_repeated_speaker = allow_repeated_speaker
        self._max_selector_attempts = max_selector_attempts
        self._selector_func = selector_func
        self._candidate_func = candidate_func
        self._model_client_streaming = model_client_streaming
        self._model_context = model_context

    def _create_group_chat_manager_factory(self, **setup: Any) -> Callable[[], SelectorGroupChatManager]:
        return partial(
            SelectorGroupChatManager,
            **setup,
            emit_team_events=self._emit_team_events,
            model_client=self._model_client,
            selector_prompt=self._selector_prompt,
            allow_repeated_speaker=self._allow_repeated_speaker,
            selector_func=self._selector_func,
            max_selector_attempts=self._max_selector_attempts,
            candidate_func=self._candidate_func,
            model_client_streaming=self._model_client_streaming,
            model_context=self._model_context or UnboundedChatCompletionContext(),
        )

    def _to_config(self) -> SelectorGroupChatConfig:
        return SelectorGroupChatConfig(
            name=self.name,
            description=self.description,
            participants=[participant.dump_component() for participant in self._participants],
            model_client=self._model_client.dump_component(),
            termination_condition=self._termination_condition and self._termination_condition.dump_component(),
            max_turns=self._max_turns,
            selector_prompt=self._selector_prompt,
            allow_repeated_speaker=self._allow_repeated_speaker,
            max_selector_attempts=self._max_selector_attempts,
            emit_team_events=self._emit_team_events,
            model_client_streaming=self._model_client_streaming,
            model_context=self._model_context and self._model_context.dump_component(),
        )

    @classmethod
    def _from_config(cls, config: SelectorGroupChatConfig) -> Self:
        return cls(
            [load_participant(participant) for participant in config.participants],
            ChatCompletionClient.load_component(config.model_client),
            name=config.name,
            description=config.description,
            termination_condition=config.termination_condition
            and TerminationCondition.load_component(config.termination_condition),
            max_turns=config.max_turns,
            selector_prompt=config.selector_prompt,
            allow_repeated_speaker=config.allow_repeated_speaker,
            max_selector_attempts=config.max_selector_attempts,
            emit_team_events=config.emit_team_events,
            model_client_streaming=config.model_client_streaming,
            model_context=config.model_context and ChatCompletionContext.load_component(config.model_context),
        )
