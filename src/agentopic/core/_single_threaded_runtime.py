"""`SingleThreadedAgentRuntime`: all agents in one process and one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import TracerProvider

from agentopic.core._agent_id import AgentId
from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._intervention import InterventionHandler
from agentopic.core._kernel_runtime import KernelRuntime
from agentopic.core._message_envelopes import PublishedMessage, SentMessage
from agentopic.core._message_id import new_message_id
from agentopic.core._message_log import MessageLog
from agentopic.core._message_pump import MessagePump
from agentopic.core._runtime_tracing import RuntimeTracing
from agentopic.core._topic import TopicId
from agentopic.core.logging import DeliveryStage, MessageKind
from agentopic.errors import RuntimeStateError

_CONDITION_CHECK_SECONDS: Final = 0.05


class SingleThreadedAgentRuntime(KernelRuntime):
    """Carries messages by an in-memory queue, first in, first out; one task per message and subscriber.

    Nothing outlives the process. An agent never receives what it published itself.

    Args:
        intervention_handlers: shown every message, in this order.
        tracer_provider: where spans go; the global provider unless given. Without a provider that records,
            tracing costs nothing.
        ignore_unhandled_exceptions: log what event handlers raise; when False, the first such exception ends
            the runtime and is raised by `process_next`, `stop`, `stop_when_idle` or `stop_when`.
    """

    def __init__(
        self,
        *,
        intervention_handlers: list[InterventionHandler] | None = None,
        tracer_provider: TracerProvider | None = None,
        ignore_unhandled_exceptions: bool = True,
    ) -> None:
        super().__init__(intervention_handlers=intervention_handlers)
        self._log = MessageLog(self._kernel.serializers)
        self._pump = MessagePump(self._kernel, self._log, raise_unhandled=not ignore_unhandled_exceptions)
        self._tracer_provider = tracer_provider
        self._pump.tracing = RuntimeTracing.of(tracer_provider, type(self).__name__)

    @property
    def unprocessed_messages_count(self) -> int:
        """How many messages are queued."""
        return self._pump.waiting

    async def send_message(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
    ) -> Any:
        """Send to one agent and return its answer; what its handler raises is raised here.

        Raises:
            UnknownAgentError: no such agent type.
            MessageDroppedError: an intervention handler dropped the message or the answer.
            UndeliverableError: the runtime stopped before the message was delivered.
            asyncio.CancelledError: the token was cancelled before an answer came.
        """
        self._require_type(recipient)
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        token = CancellationToken() if cancellation_token is None else cancellation_token
        sent = SentMessage(
            message=message,
            recipient=recipient,
            sender=sender,
            cancellation_token=token,
            message_id=new_message_id() if message_id is None else message_id,
            reply=reply,
        )
        self._log.moved(message, sender, recipient, MessageKind.DIRECT, DeliveryStage.SEND)
        self._put(sent, recipient)
        if cancellation_token is None:
            token.add_callback(reply.cancel)  # this token lives no longer than the message
        else:
            token.link_future(reply)
        return await reply

    async def publish_message(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None = None,
        cancellation_token: CancellationToken | None = None,
        message_id: str | None = None,
        now: bool = False,
    ) -> None:
        """Queue a message for all subscribers of a topic but the sender; returns before they have handled it.

        `now` changes nothing: no publish waits for anything.

        Raises:
            UndeliverableError: the runtime is stopping.
        """
        published = PublishedMessage(
            message=message,
            topic_id=topic_id,
            sender=sender,
            cancellation_token=CancellationToken() if cancellation_token is None else cancellation_token,
            message_id=new_message_id() if message_id is None else message_id,
        )
        self._log.moved(message, sender, topic_id, MessageKind.PUBLISH, DeliveryStage.SEND)
        self._put(published, topic_id)

    async def process_next(self) -> None:
        """Wait for the next queued message and start its handlers: stepping by hand instead of `start`."""
        await self._pump.step()

    def start(self) -> None:
        """Process messages from now on, in a task of the running event loop.

        Raises:
            RuntimeStateError: the runtime is started already.
        """
        if self._pump.is_started:
            raise RuntimeStateError("Runtime is already started")
        self._pump.tracing = RuntimeTracing.of(self._tracer_provider, type(self).__name__)
        self._pump.start()

    async def stop(self) -> None:
        """Stop at once: queued messages are given up, handlers that run go on to their end.

        Raises:
            RuntimeStateError: the runtime is not started.
        """
        self._require_started()
        self._pump.stop()

    async def stop_when_idle(self) -> None:
        """Stop when no message is queued and no handler runs.

        Raises:
            RuntimeStateError: the runtime is not started.
        """
        self._require_started()
        await self._pump.join()
        self._pump.stop()

    async def stop_when(self, condition: Callable[[], bool]) -> None:
        """Stop when `condition`, asked every 50 ms, is true.

        Raises:
            RuntimeStateError: the runtime is not started.
        """
        self._require_started()
        while not condition() and not await self._pump.wait_ended(_CONDITION_CHECK_SECONDS):
            pass
        self._pump.stop()

    async def close(self) -> None:
        """Stop if started, and close all agents; the first agent's error is raised when all are closed."""
        if self._pump.is_started:
            await self.stop()
        closing = [agent.close() for agent in self._kernel.instances.values()]
        for outcome in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    def _put(self, message: SentMessage | PublishedMessage, destination: AgentId | TopicId) -> None:
        tracing = self._pump.tracing
        if tracing is None:
            self._pump.put(message)
            return
        with tracing.span("create", destination, message.message) as span:
            message.origin = span.get_span_context()
            self._pump.put(message)

    def _require_started(self) -> None:
        if not self._pump.is_started:
            raise RuntimeStateError("Runtime is not started")
