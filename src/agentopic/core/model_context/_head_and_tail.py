"""`HeadAndTailChatCompletionContext`: the model sees the first and the last messages."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel

from agentopic.core._component_config import Component
from agentopic.core.model_context._chat_completion_context import (
    ChatCompletionContext,
    without_leading_results,
    without_trailing_calls,
)
from agentopic.core.models._types import LLMMessage, UserMessage


class HeadAndTailChatCompletionContextConfig(BaseModel):
    """Config of HeadAndTailChatCompletionContext."""

    head_size: int
    tail_size: int
    initial_messages: list[LLMMessage] | None = None


class HeadAndTailChatCompletionContext(ChatCompletionContext, Component[HeadAndTailChatCompletionContextConfig]):
    """Shows the first `head_size` and the last `tail_size` messages, with a note about the gap between them."""

    component_config_schema = HeadAndTailChatCompletionContextConfig
    component_provider_override = "autogen_core.model_context.HeadAndTailChatCompletionContext"

    def __init__(self, head_size: int, tail_size: int, initial_messages: list[LLMMessage] | None = None) -> None:
        super().__init__(initial_messages)
        if head_size <= 0:
            raise ValueError("head_size must be greater than 0.")
        if tail_size <= 0:
            raise ValueError("tail_size must be greater than 0.")
        self._head_size = head_size
        self._tail_size = tail_size

    async def get_messages(self) -> list[LLMMessage]:
        """Head, note, tail; all messages when there is no gap. Calls and results cut apart are left out."""
        skipped = len(self._messages) - self._head_size - self._tail_size
        if skipped <= 0:
            return self._messages
        head = without_trailing_calls(self._messages[: self._head_size])
        tail = without_leading_results(self._messages[-self._tail_size :])
        return [*head, UserMessage(content=f"Skipped {skipped} messages.", source="System"), *tail]

    def _to_config(self) -> HeadAndTailChatCompletionContextConfig:
        return HeadAndTailChatCompletionContextConfig(
            head_size=self._head_size, tail_size=self._tail_size, initial_messages=self._initial_messages
        )

    @classmethod
    def _from_config(cls, config: HeadAndTailChatCompletionContextConfig) -> Self:
        return cls(config.head_size, config.tail_size, config.initial_messages)
