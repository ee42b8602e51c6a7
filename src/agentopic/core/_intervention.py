"""Intervention handlers: see, change, refuse or drop messages before they are delivered."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, final, runtime_checkable

from agentopic.core._agent_id import AgentId
from agentopic.core._message_context import MessageContext


@final
class DropMessage:
    """Returned by an intervention handler, as class or instance, to drop the message."""


@runtime_checkable
class InterventionHandler(Protocol):
    """Is shown every message; returns it, another one in its place, or `DropMessage`.

    An exception raised by `on_send` or `on_response` is raised at the sender of the request; raised by
    `on_publish` it is logged and the message is not delivered.
    """

    async def on_send(
        self, message: Any, *, message_context: MessageContext, recipient: AgentId
    ) -> Any | type[DropMessage]:
        """Called for a message that is sent to one agent."""
        ...

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any | type[DropMessage]:
        """Called for a message that is published to a topic."""
        ...

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any | type[DropMessage]:
        """Called for the answer that `sender` gives to `recipient`, who asked."""
        ...


class DefaultInterventionHandler(InterventionHandler):
    """Lets everything pass; subclass it and override what you want to see."""

    async def on_send(
        self, message: Any, *, message_context: MessageContext, recipient: AgentId
    ) -> Any | type[DropMessage]:
        """Return the message as it is."""
        return message

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any | type[DropMessage]:
        """Return the message as it is."""
        return message

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any | type[DropMessage]:
        """Return the answer as it is."""
        return message


class InterventionChain:
    """The intervention handlers of a runtime, applied in order until one drops the message.

    Each method returns the message to deliver, or the class `DropMessage`.
    """

    def __init__(self, handlers: Sequence[InterventionHandler] | None = None) -> None:
        self._handlers = tuple(handlers or ())

    def __bool__(self) -> bool:
        return bool(self._handlers)

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        """Apply all handlers to a message sent to one agent."""

        def ask(handler: InterventionHandler, current: Any) -> Awaitable[Any]:
            return handler.on_send(current, message_context=message_context, recipient=recipient)

        return await self._apply(message, "on_send", ask)

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        """Apply all handlers to a published message."""

        def ask(handler: InterventionHandler, current: Any) -> Awaitable[Any]:
            return handler.on_publish(current, message_context=message_context)

        return await self._apply(message, "on_publish", ask)

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        """Apply all handlers to an answer."""

        def ask(handler: InterventionHandler, current: Any) -> Awaitable[Any]:
            return handler.on_response(current, sender=sender, recipient=recipient)

        return await self._apply(message, "on_response", ask)

    async def _apply(self, message: Any, method: str, ask: Callable[[InterventionHandler, Any], Awaitable[Any]]) -> Any:
        for handler in self._handlers:
            answer = await ask(handler, message)
            if answer is DropMessage or isinstance(answer, DropMessage):
                return DropMessage
            if answer is None and message is not None:
                warnings.warn(
                    f"{type(handler).__name__}.{method} returned None: return the message, or DropMessage",
                    RuntimeWarning,
                    stacklevel=2,
                )
            message = answer
        return message
