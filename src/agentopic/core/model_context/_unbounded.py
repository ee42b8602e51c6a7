"""`UnboundedChatCompletionContext`: the model sees everything."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel

from agentopic.core._component_config import Component
from agentopic.core.model_context._chat_completion_context import ChatCompletionContext
from agentopic.core.models._types import LLMMessage


class UnboundedChatCompletionContextConfig(BaseModel):
    """Config of UnboundedChatCompletionContext."""

    initial_messages: list[LLMMessage] | None = None


class UnboundedChatCompletionContext(ChatCompletionContext, Component[UnboundedChatCompletionContextConfig]):
    """Shows all messages."""

    component_config_schema = UnboundedChatCompletionContextConfig
    component_provider_override = "autogen_core.model_context.UnboundedChatCompletionContext"

    async def get_messages(self) -> list[LLMMessage]:
        """All messages; the caller's list, changing it changes the context."""
        return self._messages

    def _to_config(self) -> UnboundedChatCompletionContextConfig:
        return UnboundedChatCompletionContextConfig(initial_messages=self._initial_messages)

    @classmethod
    def _from_config(cls, config: UnboundedChatCompletionContextConfig) -> Self:
        return cls(initial_messages=config.initial_messages)
