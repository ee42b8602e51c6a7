"""`RoutedAgent`: an agent whose methods handle messages by their class."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from agentopic.core._base_agent import BaseAgent
from agentopic.core._logger_names import TRACE_LOGGER_NAME
from agentopic.core._message_context import MessageContext
from agentopic.core._message_handler import MessageHandler
from agentopic.core._serialization import MessageSerializer, try_get_known_serializers_for_type
from agentopic.errors import RegistrationError

_logger: Final = logging.getLogger(TRACE_LOGGER_NAME)

_Handler = MessageHandler[Any, Any, Any]


class RoutedAgent(BaseAgent):
    """Gives a message to the first handler, by method name, that takes its exact class and wants it."""

    def __init__(self, description: str) -> None:
        self._handlers = handlers_by_type(type(self))
        super().__init__(description)

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any | None:
        """Give the message to its handler; `on_unhandled_message` when there is none."""
        kind = cast("type[Any]", type(message))
        for handler in self._handlers.get(kind, ()):
            if handler.router(message, ctx):
                return await handler(self, message, ctx)
        return await self.on_unhandled_message(message, ctx)

    async def on_unhandled_message(self, message: Any, ctx: MessageContext) -> None:
        """Log that nothing handles this message; override it to do more."""
        _logger.info("Unhandled message: %s", message)

    @classmethod
    def _handles_types(cls) -> Sequence[tuple[type[Any], list[MessageSerializer[Any]]]]:
        found = list(cls.internal_extra_handles_types)
        for message_type in handlers_by_type(cls):
            serializers = try_get_known_serializers_for_type(message_type)
            if not serializers:
                raise RegistrationError(
                    f"No serializers found for type {message_type} handled by {cls.__name__}: "
                    "use a pydantic model, a dataclass or a protobuf message"
                )
            found.append((message_type, serializers))
        return found


def handlers_by_type(cls: type[Any]) -> Mapping[type[Any], Sequence[_Handler]]:
    """The handlers of a class by the message class they take, each in the order of method names."""
    known = cast("Mapping[type[Any], Sequence[_Handler]] | None", vars(cls).get("_agentopic_handlers"))
    if known is not None:
        return known
    found: dict[type[Any], list[_Handler]] = {}
    for name in dir(cls):
        method = getattr(cls, name, None)
        if getattr(method, "is_message_handler", False) is True:
            handler = cast("_Handler", method)
            for target in handler.target_types:
                found.setdefault(target, []).append(handler)
    cls._agentopic_handlers = found  # a class's handlers do not change, so they are looked up once per class
    return found
