"""`MessageFactory`: finds the class of a dumped message by its `type`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentopic.agentchat.messages import _chat, _events
from agentopic.agentchat.messages._base import BaseAgentEvent, BaseChatMessage

_BUILT_IN: tuple[type[BaseAgentEvent | BaseChatMessage], ...] = (
    _chat.TextMessage,
    _chat.MultiModalMessage,
    _chat.StopMessage,
    _chat.ToolCallSummaryMessage,
    _chat.HandoffMessage,
    _events.ToolCallRequestEvent,
    _events.ToolCallExecutionEvent,
    _events.MemoryQueryEvent,
    _events.UserInputRequestedEvent,
    _events.ModelClientStreamingChunkEvent,
    _events.ThoughtEvent,
    _events.SelectSpeakerEvent,
    _events.CodeGenerationEvent,
    _events.CodeExecutionEvent,
)


class MessageFactory:
    """Knows the built-in messages and events, and those registered."""

    def __init__(self) -> None:
        self._message_types: dict[str, type[BaseAgentEvent | BaseChatMessage]] = {
            message_type.__name__: message_type for message_type in _BUILT_IN
        }

    def is_registered(self, message_type: type[BaseAgentEvent | BaseChatMessage]) -> bool:
        """Whether a class of this name is known."""
        return message_type.__name__ in self._message_types

    def register(self, message_type: type[BaseAgentEvent | BaseChatMessage]) -> None:
        """Make a class known; ValueError when its name is taken or it is no message class."""
        if self.is_registered(message_type):
            raise ValueError(f"Message type {message_type} is already registered.")
        if not issubclass(message_type, BaseChatMessage | BaseAgentEvent):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
            raise ValueError(  # noqa: TRY004 - as in AutoGen
                f"Message type {message_type} must be a subclass of BaseChatMessage or BaseAgentEvent."
            )
        self._message_types[message_type.__name__] = message_type

    def create(self, data: Mapping[str, Any]) -> BaseAgentEvent | BaseChatMessage:
        """Build a message from its dump; ValueError when `type` is missing or not known."""
        name = data.get("type")
        if name is None:
            raise ValueError("Field 'type' is required in the message data to recover the message type.")
        message_type = self._message_types.get(name)
        if message_type is None:
            raise ValueError(f"Unknown message type: {name}")
        return message_type.load(data)
