"""`MagenticOneGroupChat`: a team led by a Magentic-One orchestrator."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self

from pydantic import BaseModel

from agentopic.agentchat.base import ChatAgent, TerminationCondition
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.agentchat.teams._group_chat._base_group_chat import BaseGroupChat
from agentopic.agentchat.teams._group_chat._magentic_one._magentic_one_orchestrator import MagenticOneOrchestrator
from agentopic.agentchat.teams._group_chat._magentic_one._prompts import FINAL_ANSWER
from agentopic.agentchat.teams._group_chat._participants import load_agent, require_agents
from agentopic.core import AgentRuntime, Component, ComponentModel
from agentopic.core.models import ChatCompletionClient


class MagenticOneGroupChatConfig(BaseModel):
    """Config of MagenticOneGroupChat."""

    name: str | None = None
    description: str | None = None
    participants: list[ComponentModel]
    model_client: ComponentModel
    termination_condition: ComponentModel | None = None
    max_turns: int | None = None
    max_stalls: int
    final_answer_prompt: str
    emit_team_events: bool = False


class MagenticOneGroupChat(BaseGroupChat, Component[MagenticOneGroupChatConfig]):
    """A team whose orchestrator plans, hands out work, and plans anew where that leads nowhere (arXiv:2411.04468).

    Args:
        participants: agents; other arguments and errors as of BaseGroupChat.
        model_client: the orchestrator's model; one that can answer as JSON is best.
        max_turns: after how many rounds the final answer is given, over all runs until a reset.
        max_stalls: after how many rounds without progress the plan is made anew.
        final_answer_prompt: what the model is asked at the end, with the field {task}.

    Raises:
        TypeError: a participant is a team.
    """

    component_config_schema = MagenticOneGroupChatConfig
    component_provider_override = "autogen_agentchat.teams.MagenticOneGroupChat"

    DEFAULT_NAME = "MagenticOneGroupChat"
    DEFAULT_DESCRIPTION = "A team of agents."

    def __init__(
        self,
        participants: list[ChatAgent],
        model_client: ChatCompletionClient,
        *,
        name: str | None = None,
        description: str | None = None,
        termination_condition: TerminationCondition | None = None,
        max_turns: int | None = 20,
        runtime: AgentRuntime | None = None,
        max_stalls: int = 3,
        final_answer_prompt: str = FINAL_ANSWER,
        custom_message_types: list[type[BaseAgentEvent | BaseChatMessage]] | None = None,
        emit_team_events: bool = False,
    ) -> None:
        require_agents(participants)
        super().__init__(
            name=name or self.DEFAULT_NAME,
            description=description or self.DEFAULT_DESCRIPTION,
            participants=[*participants],
            group_chat_manager_name="MagenticOneOrchestrator",
            group_chat_manager_class=MagenticOneOrchestrator,
            termination_condition=termination_condition,
            max_turns=max_turns,
            runtime=runtime,
            custom_message_types=custom_message_types,
            emit_team_events=emit_team_events,
        )
        self._model_client = model_client
        self._max_stalls = max_stalls
        self._final_answer_prompt = final_answer_prompt

    def _create_group_chat_manager_factory(self, **setup: Any) -> Callable[[], MagenticOneOrchestrator]:
        return partial(
            MagenticOneOrchestrator,
            **setup,
            emit_team_events=self._emit_team_events,
            model_client=self._model_client,
            max_stalls=self._max_stalls,
            final_answer_prompt=self._final_answer_prompt,
        )

    def _to_config(self) -> MagenticOneGroupChatConfig:
        return MagenticOneGroupChatConfig(
            name=self.name,
            description=self.description,
            participants=[participant.dump_component() for participant in self._participants],
            model_client=self._model_client.dump_component(),
            termination_condition=self._termination_condition and self._termination_condition.dump_component(),
            max_turns=self._max_turns,
            max_stalls=self._max_stalls,
            final_answer_prompt=self._final_answer_prompt,
            emit_team_events=self._emit_team_events,
        )

    @classmethod
    def _from_config(cls, config: MagenticOneGroupChatConfig) -> Self:
        return cls(
            [load_agent(participant) for participant in config.participants],
            ChatCompletionClient.load_component(config.model_client),
            name=config.name,
            description=config.description,
            termination_condition=config.termination_condition
            and TerminationCondition.load_component(config.termination_condition),
            max_turns=config.max_turns,
            max_stalls=config.max_stalls,
            final_answer_prompt=config.final_answer_prompt,
            emit_team_events=config.emit_team_events,
        )
