"""`MessageFactory`: finds the class of a dumped message by its `type`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentopic.agentchat.messages import _chat, _events
from agentopic.agentchat.messages._base import BaseAgentEvent, BaseChatMessage
from agentopic.errors import MessageFormatError

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
    _events.SelectorEvent,
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
        """Build a message from its dump.

        Raises:
            MessageFormatError: it is no object, or `type` is missing or not known; a ValueError.
            pydantic.ValidationError: a field does not fit; its `loc` says which. Also a ValueError.
        """
        if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - it may come from anywhere
            raise MessageFormatError(f"a message is an object with the field 'type', not {type(data).__name__}")
        name = data.get("type")
        if name is None:
            raise MessageFormatError("Field 'type' is required in the message data to recover the message type.")
        message_type = self._message_types.get(name) if isinstance(name, str) else None
        if message_type is None:
            raise MessageFormatError(f"type: Unknown message type: {name!r:.100}")
        return message_type.load(data)
