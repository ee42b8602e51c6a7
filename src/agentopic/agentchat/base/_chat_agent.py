"""`ChatAgent`: the interface of agents that exchange chat messages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SerializeAsAny

from agentopic.agentchat.base._task import TaskRunner
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.core import CancellationToken, ComponentBase


@dataclass(kw_only=True)
class Response:
    """An agent's answer."""

    chat_message: SerializeAsAny[BaseChatMessage]
    inner_messages: Sequence[SerializeAsAny[BaseAgentEvent | BaseChatMessage]] | None = None
    """What happened on the way, in order."""


class ChatAgent(ABC, TaskRunner, ComponentBase[BaseModel]):
    """Answers messages; keeps the conversation, so that callers pass only what is new."""

    component_type = "agent"

    @property
    @abstractmethod
    def name(self) -> str:
        """Unique within a team; a Python identifier."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What the agent can do, for whoever chooses among agents."""

    @property
    @abstractmethod
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """The classes of messages it may answer with."""

    @abstractmethod
    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Answer new messages."""

    @abstractmethod
    def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Like `on_messages`, with what happens on the way; the last item is the Response."""

    @abstractmethod
    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation."""

    @abstractmethod
    async def on_pause(self, cancellation_token: CancellationToken) -> None:
        """The team pauses while this agent may be answering."""

    @abstractmethod
    async def on_resume(self, cancellation_token: CancellationToken) -> None:
        """The team goes on."""

    @abstractmethod
    async def save_state(self) -> Mapping[str, Any]:
        """The conversation as JSON."""

    @abstractmethod
    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a saved conversation."""

    @abstractmethod
    async def close(self) -> None:
        """Give resources back."""
