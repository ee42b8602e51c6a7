"""`ChatCompletionContext`: keeps all messages of a conversation and shows a model some of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from agentopic.core._component_config import ComponentBase
from agentopic.core.models._types import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    LLMMessage,
)


class ChatCompletionContextState(BaseModel):
    """All messages of a context."""

    messages: list[LLMMessage] = Field(default_factory=list[LLMMessage])


class ChatCompletionContext(ABC, ComponentBase[BaseModel]):
    """The messages of one conversation; subclasses choose which of them the model sees."""

    component_type = "chat_completion_context"

    def __init__(self, initial_messages: list[LLMMessage] | None = None) -> None:
        self._initial_messages = initial_messages
        self._messages: list[LLMMessage] = list(initial_messages or ())

    async def add_message(self, message: LLMMessage) -> None:
        """Append a message."""
        self._messages.append(message)

    @abstractmethod
    async def get_messages(self) -> list[LLMMessage]:
        """The messages the model is to see, in order."""

    async def clear(self) -> None:
        """Forget all messages, the initial ones too."""
        self._messages = []

    async def save_state(self) -> Mapping[str, Any]:
        """All messages as JSON, also those a model no longer sees."""
        return ChatCompletionContextState(messages=self._messages).model_dump(mode="json")

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over saved messages."""
        self._messages = ChatCompletionContextState.model_validate(state).messages


def without_leading_results(messages: Sequence[LLMMessage]) -> list[LLMMessage]:
    """The messages without tool results at the start: their calls are cut off, and providers refuse that."""
    start = 1 if messages and isinstance(messages[0], FunctionExecutionResultMessage) else 0
    return list(messages[start:])


def without_trailing_calls(messages: Sequence[LLMMessage]) -> list[LLMMessage]:
    """The messages without tool calls at the end: their results are cut off, and providers refuse that."""
    last = messages[-1] if messages else None
    dangling = isinstance(last, AssistantMessage) and isinstance(last.content, list)
    return list(messages[:-1] if dangling else messages)
