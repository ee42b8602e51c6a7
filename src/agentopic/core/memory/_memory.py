"""`Memory`: a store an agent reads before it asks its model; its calls are steps inside a durable turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import Any, ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict, field_serializer

from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._component_config import ComponentBase
from agentopic.core._image import Image
from agentopic.core.memory._recording import record_memory_calls
from agentopic.core.model_context._chat_completion_context import ChatCompletionContext


class MemoryMimeType(Enum):
    """Kinds of content every memory knows."""

    TEXT = "text/plain"
    JSON = "application/json"
    MARKDOWN = "text/markdown"
    IMAGE = "image/*"
    BINARY = "application/octet-stream"


ContentType: TypeAlias = str | bytes | dict[str, Any] | Image


class MemoryContent(BaseModel):
    """One thing remembered."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    content: ContentType
    mime_type: MemoryMimeType | str
    metadata: dict[str, Any] | None = None

    @field_serializer("mime_type")
    def serialize_mime_type(self, mime_type: MemoryMimeType | str) -> str:
        """The MIME type as its text."""
        return mime_type.value if isinstance(mime_type, MemoryMimeType) else mime_type


class MemoryQueryResult(BaseModel):
    """What a query found, best first."""

    results: list[MemoryContent]


class UpdateContextResult(BaseModel):
    """What was put into a model context."""

    memories: MemoryQueryResult


class Memory(ABC, ComponentBase[BaseModel]):
    """Remembers content and finds it again.

    Inside a durable turn `query`, `add` and `clear` of every subclass are steps: a later attempt finds the same, and
    adds nothing twice.
    """

    component_type = "memory"

    step_scope: ClassVar[bool] = False
    """True on memories whose calls need no record: they are in this process, or call others that are recorded."""

    repeatable_add: ClassVar[bool] = False
    """True on memories where adding something twice is adding it once: an `add` that was under way when its process
    died is then made again. Otherwise it ends in a StepOutcomeUnknownError, unless the service decides otherwise."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        record_memory_calls(cls, MemoryQueryResult)

    @abstractmethod
    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add what is relevant to a model context, before the model is asked."""

    @abstractmethod
    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,
        **kwargs: Any,
    ) -> MemoryQueryResult:
        """Find what matches."""

    @abstractmethod
    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Remember."""

    @abstractmethod
    async def clear(self) -> None:
        """Forget everything."""

    @abstractmethod
    async def close(self) -> None:
        """Give resources back."""
