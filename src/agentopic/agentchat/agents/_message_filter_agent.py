"""`MessageFilterAgent`: an agent that is told only some of the messages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from agentopic.agentchat.agents._base_chat_agent import BaseChatAgent
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.agentchat.state import BaseState
from agentopic.core import CancellationToken, Component, ComponentModel


class PerSourceFilter(BaseModel):
    """Which messages of one source pass: the first or last `count`, or all."""

    source: str
    position: Literal["first", "last"] | None = None
    count: int | None = None

    def passing(self, messages: Sequence[BaseChatMessage]) -> list[BaseChatMessage]:
        """The messages of this source that pass, in order."""
        own = [message for message in messages if message.source == self.source]
        if not self.count or self.position is None:
            return own
        return own[: self.count] if self.position == "first" else own[-self.count :]


class MessageFilterConfig(BaseModel):
    """What passes: source after source; messages of other sources do not."""

    per_source: list[PerSourceFilter]


class MessageFilterAgentConfig(BaseModel):
    """Config of MessageFilterAgent."""

    name: str
    wrapped_agent: ComponentModel
    filter: MessageFilterConfig


class MessageFilterAgentState(BaseState):
    """The wrapped agent's state."""

    type: str = Field(default="MessageFilterAgentState")
    wrapped_agent_state: Mapping[str, Any] | None = None


class MessageFilterAgent(BaseChatAgent, Component[MessageFilterAgentConfig]):
    """Gives the wrapped agent what passes the filter; everything else is the wrapped agent's."""

    component_config_schema = MessageFilterAgentConfig
    component_provider_override = "autogen_agentchat.agents.MessageFilterAgent"

    def __init__(self, name: str, wrapped_agent: BaseChatAgent, filter: MessageFilterConfig) -> None:  # noqa: A002 - AutoGen's name
        super().__init__(name=name, description=f"{wrapped_agent.description} (with message filtering)")
        self._wrapped_agent = wrapped_agent
        self._filter = filter

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """The wrapped agent's."""
        return self._wrapped_agent.produced_message_types

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """The wrapped agent's answer to what passes."""
        return await self._wrapped_agent.on_messages(self._passing(messages), cancellation_token)

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """The wrapped agent's stream for what passes."""
        stream = self._wrapped_agent.on_messages_stream(self._passing(messages), cancellation_token)
        async with aclosing(stream) as items:
            async for item in items:
                yield item

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        await self._wrapped_agent.on_reset(cancellation_token)

    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        await self._wrapped_agent.on_pause(cancellation_token)

    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        await self._wrapped_agent.on_resume(cancellation_token)

    async def save_state(self) -> Mapping[str, Any]:
        """The wrapped agent's state, which AutoGen leaves out."""
        return MessageFilterAgentState(wrapped_agent_state=await self._wrapped_agent.save_state()).model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state; one of AutoGen's holds nothing."""
        wrapped = MessageFilterAgentState.model_validate(state).wrapped_agent_state
        if wrapped is not None:
            await self._wrapped_agent.load_state(wrapped)

    async def close(self) -> None:
        await self._wrapped_agent.close()

    def _passing(self, messages: Sequence[BaseChatMessage]) -> list[BaseChatMessage]:
        return [message for source in self._filter.per_source for message in source.passing(messages)]

    def _to_config(self) -> MessageFilterAgentConfig:
        return MessageFilterAgentConfig(
            name=self.name, wrapped_agent=self._wrapped_agent.dump_component(), filter=self._filter
        )

    @classmethod
    def _from_config(cls, config: MessageFilterAgentConfig) -> Self:
        return cls(config.name, BaseChatAgent.load_component(config.wrapped_agent), config.filter)
