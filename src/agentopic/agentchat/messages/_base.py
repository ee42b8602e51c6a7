"""What all messages and events have in common; ids and times come from the durable turn they are made in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from agentopic.core._turn import mint_id, mint_time
from agentopic.core.models import RequestUsage, UserMessage


class BaseMessage(BaseModel, ABC):
    """Anything an agent or team yields."""

    @abstractmethod
    def to_text(self) -> str:
        """The content as text for a person."""

    def dump(self) -> Mapping[str, Any]:
        """The message as JSON; the field `type` names its class."""
        return self.model_dump(mode="json")

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """Build the message from its JSON; pydantic.ValidationError when it does not fit."""
        return cls.model_validate(data)


class BaseChatMessage(BaseMessage, ABC):
    """A message from one agent to others."""

    id: str = Field(default_factory=mint_id)
    source: str
    """The name of the agent that sent it."""
    models_usage: RequestUsage | None = None
    """The tokens paid for it."""
    metadata: dict[str, str] = {}
    created_at: datetime = Field(default_factory=mint_time)

    @abstractmethod
    def to_model_text(self) -> str:
        """The content as text for a model, without images."""

    @abstractmethod
    def to_model_message(self) -> UserMessage:
        """The message as a model is told it."""


class BaseTextChatMessage(BaseChatMessage, ABC):
    """A message whose content is text."""

    content: str

    def to_text(self) -> str:
        return self.content

    def to_model_text(self) -> str:
        return self.content

    def to_model_message(self) -> UserMessage:
        return UserMessage(content=self.content, source=self.source)


class BaseAgentEvent(BaseMessage, ABC):
    """Something that happened inside an agent or team; for those who watch, never for other agents."""

    id: str = Field(default_factory=mint_id)
    source: str
    """The name of the agent it happened in."""
    models_usage: RequestUsage | None = None
    """The tokens paid for it."""
    metadata: dict[str, str] = {}
    created_at: datetime = Field(default_factory=mint_time)
