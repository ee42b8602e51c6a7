"""What lies in the in-process runtime's queue: messages sent, messages published, answers."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from opentelemetry.trace import SpanContext

from agentopic.core._agent_id import AgentId
from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._logger_names import ROOT_LOGGER_NAME
from agentopic.core._message_context import MessageContext
from agentopic.core._topic import TopicId

_logger: Final = logging.getLogger(ROOT_LOGGER_NAME)


@dataclass(slots=True, kw_only=True)
class SentMessage:
    """A message for one agent, whose sender waits for the answer."""

    message: Any
    recipient: AgentId
    sender: AgentId | None
    cancellation_token: CancellationToken
    message_id: str
    reply: asyncio.Future[Any]
    origin: SpanContext | None = None
    """The span it was sent in, when tracing is on."""

    def context(self) -> MessageContext:
        """What the handler is told."""
        return MessageContext(self.sender, None, True, self.cancellation_token, self.message_id)

    def fail(self, error: BaseException) -> None:
        """Raise an error at the sender; it is logged when the sender has given up already."""
        if self.reply.done():
            _logger.warning("%s failed after its caller gave up", self.recipient, exc_info=error)
        elif isinstance(error, asyncio.CancelledError):
            self.reply.cancel()
        else:
            self.reply.set_exception(error)


@dataclass(slots=True, kw_only=True)
class PublishedMessage:
    """A message for all subscribers of a topic."""

    message: Any
    topic_id: TopicId
    sender: AgentId | None
    cancellation_token: CancellationToken
    message_id: str
    origin: SpanContext | None = None
    """The span it was published in, when tracing is on."""

    def context(self) -> MessageContext:
        """What each handler is told."""
        return MessageContext(self.sender, self.topic_id, False, self.cancellation_token, self.message_id)


@dataclass(slots=True, kw_only=True)
class Answer:
    """The answer of a handler, on its way back to who asked."""

    message: Any
    asked: SentMessage


QueuedMessage: TypeAlias = SentMessage | PublishedMessage | Answer
