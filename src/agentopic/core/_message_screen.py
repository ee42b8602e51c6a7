"""`MessageScreen`: shows queued messages to the intervention handlers and carries out what they say."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from typing import Any, Final

from agentopic.core._intervention import DropMessage, InterventionChain
from agentopic.core._logger_names import ROOT_LOGGER_NAME
from agentopic.core._message_envelopes import Answer, PublishedMessage, QueuedMessage, SentMessage
from agentopic.core._message_log import MessageLog
from agentopic.core._runtime_tracing import RuntimeTracing
from agentopic.core.logging import MessageKind
from agentopic.errors import MessageDroppedError

_logger: Final = logging.getLogger(ROOT_LOGGER_NAME)


class MessageScreen:
    """Decides whether a message is delivered, and as what; falsy when there are no intervention handlers."""

    def __init__(self, handlers: InterventionChain, log: MessageLog) -> None:
        self._handlers = handlers
        self._log = log

    def __bool__(self) -> bool:
        return bool(self._handlers)

    async def ask(self, message: QueuedMessage, tracing: RuntimeTracing | None) -> Any:
        """The message to deliver in its place, or `DropMessage`; what a handler raises is raised here."""
        with nullcontext() if tracing is None else tracing.span("intercept", None, message.message):
            match message:
                case SentMessage():
                    return await self._handlers.on_send(
                        message.message, message_context=message.context(), recipient=message.recipient
                    )
                case PublishedMessage():
                    return await self._handlers.on_publish(message.message, message_context=message.context())
                case Answer():
                    asked = message.asked
                    return await self._handlers.on_response(
                        message.message, sender=asked.recipient, recipient=asked.sender
                    )

    def settle(self, message: QueuedMessage, asking: asyncio.Task[Any]) -> bool:
        """Carry out the outcome of a finished `ask`; whether the message is still to be delivered."""
        error = asyncio.CancelledError() if asking.cancelled() else asking.exception()
        if error is not None:
            self._refuse(message, error)
            return False
        if asking.result() is DropMessage:
            self._drop(message)
            return False
        message.message = asking.result()
        return True

    def _refuse(self, message: QueuedMessage, error: BaseException) -> None:
        match message:
            case SentMessage():
                message.fail(error)
            case Answer():
                message.asked.fail(error)
            case PublishedMessage():
                _logger.error("A message was dropped: an intervention handler failed", exc_info=error)

    def _drop(self, message: QueuedMessage) -> None:
        match message:
            case SentMessage():
                self._log.dropped(message.message, message.sender, message.recipient, MessageKind.DIRECT)
                message.fail(MessageDroppedError(f"the message to {message.recipient} was dropped"))
            case PublishedMessage():
                self._log.dropped(message.message, message.sender, message.topic_id, MessageKind.PUBLISH)
            case Answer():
                asked = message.asked
                self._log.dropped(message.message, asked.recipient, asked.sender, MessageKind.RESPOND)
                asked.fail(MessageDroppedError(f"the answer of {asked.recipient} was dropped"))
