"""`ListMemory`: remembers everything in order, and tells the model all of it."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, Field

from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._component_config import Component
from agentopic.core.memory._memory import (
    Memory,
    MemoryContent,
    MemoryQueryResult,
    UpdateContextResult,
)
from agentopic.core.model_context._chat_completion_context import ChatCompletionContext
from agentopic.core.models._types import SystemMessage


class ListMemoryConfig(BaseModel):
    """Config of ListMemory, with what it remembers."""

    name: str | None = None
    memory_contents: list[MemoryContent] = Field(default_factory=list[MemoryContent])


class ListMemory(Memory, Component[ListMemoryConfig]):
    """Keeps contents in this process, in the order they were added; every query finds all of them."""

    component_provider_override = "autogen_core.memory.ListMemory"
    component_config_schema = ListMemoryConfig
    step_scope = True

    def __init__(self, name: str | None = None, memory_contents: list[MemoryContent] | None = None) -> None:
        self._name = name or "default_list_memory"
        self._contents = memory_contents if memory_contents is not None else []

    @property
    def name(self) -> str:
        """The name given at construction."""
        return self._name

    @property
    def content(self) -> list[MemoryContent]:
        """What is remembered; assignable."""
        return self._contents

    @content.setter
    def content(self, value: list[MemoryContent]) -> None:
        self._contents = value

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add one system message with everything, numbered; none when nothing is remembered."""
        if self._contents:
            lines = "\n".join(f"{i}. {memory.content}" for i, memory in enumerate(self._contents, 1))
            text = f"\nRelevant memory content (in chronological order):\n{lines}\n"
            await model_context.add_message(SystemMessage(content=text))
        return UpdateContextResult(memories=MemoryQueryResult(results=self._contents))

    async def query(
        self,
        query: str | MemoryContent = "",
        cancellation_token: CancellationToken | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """Everything, whatever is asked."""
        return MemoryQueryResult(results=self._contents)

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Append."""
        self._contents.append(content)

    async def clear(self) -> None:
        """Forget everything."""
        self._contents = []

    async def close(self) -> None:
        """Nothing to give back."""

    def _to_config(self) -> ListMemoryConfig:
        return ListMemoryConfig(name=self._name, memory_contents=self._contents)

    @classmethod
    def _from_config(cls, config: ListMemoryConfig) -> Self:
        return cls(name=config.name, memory_contents=config.memory_contents)
