"""`SocietyOfMindAgent`: a team that answers as one agent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field

from agentopic.agentchat.agents._base_chat_agent import BaseChatAgent
from agentopic.agentchat.agents._remembering import remember
from agentopic.agentchat.agents._scoped_stream import scoped
from agentopic.agentchat.base import Response, TaskResult, Team
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
)
from agentopic.agentchat.state import BaseState
from agentopic.core import CancellationToken, Component, ComponentModel
from agentopic.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from agentopic.core.models import ChatCompletionClient, LLMMessage, SystemMessage, UserMessage
from agentopic.errors import AgentopicError, ModelError


class SocietyOfMindAgentConfig(BaseModel):
    """Config of SocietyOfMindAgent."""

    name: str
    team: ComponentModel
    model_client: ComponentModel
    description: str | None = None
    instruction: str | None = None
    response_prompt: str | None = None
    model_context: ComponentModel | None = None


class SocietyOfMindState(BaseState):
    """The team's state, and the conversation, which AutoGen leaves out."""

    type: str = Field(default="SocietyOfMindAgentState")
    inner_team_state: Mapping[str, Any] = Field(default_factory=dict[str, Any])
    llm_context: Mapping[str, Any] | None = None


class SocietyOfMindAgent(BaseChatAgent, Component[SocietyOfMindAgentConfig]):
    """Has the team work on the new messages, then a model put what the team said into one answer.

    Everything the team shows is shown. The team begins anew with each answer; earlier messages reach it as the
    context of a HandoffMessage. `instruction` stands before the team's messages, `response_prompt` after them.
    """

    component_config_schema = SocietyOfMindAgentConfig
    component_provider_override = "autogen_agentchat.agents.SocietyOfMindAgent"

    DEFAULT_INSTRUCTION: ClassVar[str] = (
        "You were given a request earlier, and have worked on it together with your team. What was said:"
    )
    DEFAULT_RESPONSE_PROMPT: ClassVar[str] = (
        "Now answer the request itself. The answer must stand alone: do not mention the team or its discussion."
    )
    DEFAULT_DESCRIPTION: ClassVar[str] = "An agent that has a team of agents work out its answers."

    def __init__(
        self,
        name: str,
        team: Team,
        model_client: ChatCompletionClient,
        *,
        description: str = DEFAULT_DESCRIPTION,
        instruction: str = DEFAULT_INSTRUCTION,
        response_prompt: str = DEFAULT_RESPONSE_PROMPT,
        model_context: ChatCompletionContext | None = None,
    ) -> None:
        super().__init__(name=name, description=description)
        self._team = team
        self._model_client = model_client
        self._instruction = instruction
        self._response_prompt = response_prompt
        self._model_context = model_context or UnboundedChatCompletionContext()

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Text."""
        return (TextMessage,)

    @property
    def model_context(self) -> ChatCompletionContext:
        """The messages this agent was given."""
        return self._model_context

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Answer new messages; raises as `on_messages_stream`."""
        items = [item async for item in self.on_messages_stream(messages, cancellation_token)]
        response = items[-1]
        if not isinstance(response, Response):
            raise AgentopicError(f"agent {self.name!r} ended its stream without a Response")
        return response

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Show what the team shows, then answer.

        Raises:
            ModelError: the model gave no text.
        """
        task = [*await self._earlier(), *messages]
        said: list[BaseAgentEvent | BaseChatMessage] = []
        stream = self._team.run_stream(
            task=task or None, cancellation_token=cancellation_token, output_task_messages=False
        )
        async with aclosing(scoped(self.name, stream)) as items:
            async for item in items:
                if isinstance(item, TaskResult):
                    continue
                yield item
                if not isinstance(item, ModelClientStreamingChunkEvent):
                    said.append(item)
        response = await self._summarised(said, cancellation_token)
        await remember(messages, self._model_context)
        await self._team.reset()
        yield response

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation; the team's, too."""
        await self._team.reset()
        await self._model_context.clear()

    async def save_state(self) -> Mapping[str, Any]:
        """The team's state and the conversation."""
        return SocietyOfMindState(
            inner_team_state=await self._team.save_state(), llm_context=await self._model_context.save_state()
        ).model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state; one of AutoGen's holds no conversation."""
        saved = SocietyOfMindState.model_validate(state)
        await self._team.load_state(saved.inner_team_state)
        if saved.llm_context is not None:
            await self._model_context.load_state(saved.llm_context)

    async def _earlier(self) -> list[BaseChatMessage]:
        told = await self._model_context.get_messages()
        if not told:
            return []
        return [HandoffMessage(content="relevant previous messages", source=self.name, target="", context=told)]

    async def _summarised(
        self, said: Sequence[BaseAgentEvent | BaseChatMessage], cancellation_token: CancellationToken
    ) -> Response:
        if not said:
            return Response(chat_message=TextMessage(source=self.name, content="No response."), inner_messages=[])
        told = [message.to_model_message() for message in said if isinstance(message, BaseChatMessage)]
        result = await self._model_client.create(
            messages=[self._prompt(self._instruction), *told, self._prompt(self._response_prompt)],
            cancellation_token=cancellation_token,
        )
        if not isinstance(result.content, str):
            raise ModelError(f"the model of {self.name!r} called tools when it was asked for an answer")
        message = TextMessage(source=self.name, content=result.content, models_usage=result.usage)
        return Response(chat_message=message, inner_messages=[])

    def _prompt(self, text: str) -> LLMMessage:
        if self._model_client.model_info.get("multiple_system_messages", False):
            return SystemMessage(content=text)
        return UserMessage(content=text, source="user")

    def _to_config(self) -> SocietyOfMindAgentConfig:
        return SocietyOfMindAgentConfig(
            name=self.name,
            team=self._team.dump_component(),
            model_client=self._model_client.dump_component(),
            description=self.description,
            instruction=self._instruction,
            response_prompt=self._response_prompt,
            model_context=self._model_context.dump_component(),
        )

    @classmethod
    def _from_config(cls, config: SocietyOfMindAgentConfig) -> Self:
        context = config.model_context
        return cls(
            name=config.name,
            team=Team.load_component(config.team),
            model_client=ChatCompletionClient.load_component(config.model_client),
            description=config.description or cls.DEFAULT_DESCRIPTION,
            instruction=config.instruction or cls.DEFAULT_INSTRUCTION,
            response_prompt=config.response_prompt or cls.DEFAULT_RESPONSE_PROMPT,
            model_context=ChatCompletionContext.load_component(context) if context else None,
        )
