"""`BufferedChatCompletionContext`: the model sees the last messages."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel

from agentopic.core._component_config import Component
from agentopic.core.model_context._chat_completion_context import (
    ChatCompletionContext,
    without_leading_results,
)
from agentopic.core.models._types import LLMMessage


class BufferedChatCompletionContextConfig(BaseModel):
    """Config of BufferedChatCompletionContext."""

    buffer_size: int
    initial_messages: list[LLMMessage] | None = None


class BufferedChatCompletionContext(ChatCompletionContext, Component[BufferedChatCompletionContextConfig]):
    """Shows the last `buffer_size` messages, one less when the first of them is a tool result without its call."""

    component_config_schema = BufferedChatCompletionContextConfig
    component_provider_override = "autogen_core.model_context.BufferedChatCompletionContext"

    def __init__(self, buffer_size: int, initial_messages: list[LLMMessage] | None = None) -> None:
        super().__init__(initial_messages)
        if buffer_size <= 0:
            raise ValueError("buffer_size must be greater than 0.")
        self._buffer_size = buffer_size

    async def get_messages(self) -> list[LLMMessage]:
        """The last messages."""
        return without_leading_results(self._messages[-self._buffer_size :])

    def _to_config(self) -> BufferedChatCompletionContextConfig:
        return BufferedChatCompletionContextConfig(
            buffer_size=self._buffer_size, initial_messages=self._initial_messages
        )

    @classmethod
    def _from_config(cls, config: BufferedChatCompletionContextConfig) -> Self:
        return cls(config.buffer_size, config.initial_messages)
