"""`MessagePump`: takes messages from the in-process queue, in order, and runs their handlers."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final, TypeAlias

from agentopic.core._agent_id import AgentId
from agentopic.core._kernel import Kernel
from agentopic.core._logger_names import ROOT_LOGGER_NAME
from agentopic.core._message_envelopes import Answer, PublishedMessage, QueuedMessage, SentMessage
from agentopic.core._message_log import MessageLog
from agentopic.core._message_queue import MessageQueue
from agentopic.core._message_screen import MessageScreen
from agentopic.core._runtime_tracing import RuntimeTracing
from agentopic.core._topic import TopicId
from agentopic.core.logging import DeliveryStage, MessageKind
from agentopic.errors import UndeliverableError

_logger: Final = logging.getLogger(ROOT_LOGGER_NAME)

_Queue: TypeAlias = MessageQueue[QueuedMessage]


class MessagePump:
    """Runs handlers for queued messages: by itself between `start` and `stop`, or one message per `step`.

    One callback of the event loop looks at one message; each handler is a task of its own and gets as far as its
    first wait before the next message is looked at. User code runs in tasks only, so whatever it raises is seen.

    With `raise_unhandled`, the first exception of an event handler ends the pump and is raised by the next
    `step` or by `stop`; otherwise such exceptions are logged. A request's exception always goes to who asked.
    """

    def __init__(self, kernel: Kernel, log: MessageLog, *, raise_unhandled: bool) -> None:
        self._kernel = kernel
        self._log = log
        self._screen = MessageScreen(kernel.interventions, log)
        self._raise_unhandled = raise_unhandled
        self._queue: _Queue = MessageQueue()
        self._work: dict[asyncio.Task[Any], tuple[_Queue, SentMessage | PublishedMessage, AgentId | None]] = {}
        self._unhandled: BaseException | None = None
        self._ended: asyncio.Future[None] | None = None
        self._context: contextvars.Context | None = None
        self._looking = False
        self.tracing: RuntimeTracing | None = None
        """Set when a tracer provider is configured."""

    @property
    def is_started(self) -> bool:
        """Whether the pump runs by itself."""
        return self._ended is not None

    @property
    def waiting(self) -> int:
        """How many messages are queued."""
        return len(self._queue)

    def put(self, message: QueuedMessage) -> None:
        """Queue a message.

        Raises:
            UndeliverableError: the pump is stopping.
        """
        self._queue.put(message)
        if self._ended is not None and not self._looking:
            self._look_soon()

    async def step(self) -> None:
        """Wait for the next message and start its handlers."""
        self._raise_pending()
        queue = self._queue
        message = await queue.get()
        if message is None:
            self._raise_pending()
        elif self._screen:
            asking = asyncio.get_running_loop().create_task(self._screen.ask(message, self.tracing))
            await asyncio.wait((asking,))
            self._screened(queue, message, asking)
        else:
            self._dispatch(queue, message)
        await asyncio.sleep(0)

    def start(self) -> None:
        """Run by itself from now on; handlers run in copies of the context this is called in."""
        self._ended = asyncio.get_running_loop().create_future()
        self._context = contextvars.copy_context()
        self._look_soon()

    async def join(self) -> None:
        """Wait until all messages are handled, or the pump has ended by an exception."""
        await self._queue.join()

    async def wait_ended(self, seconds: float) -> bool:
        """Wait that long at most for the pump to end by an exception; whether it has."""
        if self._ended is None:
            return True
        ended, _ = await asyncio.wait((self._ended,), timeout=seconds)
        return bool(ended)

    def stop(self) -> None:
        """End; queued messages are given up and their senders told, handlers that run go on to their end."""
        self._end(self._queue)
        self._ended = None
        self._queue = MessageQueue()
        self._looking = False
        self._raise_pending()

    # ── one message ──────────────────────────────────────────────────────────────────────────────────────

    def _look_soon(self) -> None:
        self._looking = True
        asyncio.get_running_loop().call_soon(self._look, self._queue, context=self._context)

    def _look(self, queue: _Queue) -> None:
        """Take one message and start its handlers; come back for the next one after they had their first run."""
        if queue is not self._queue:
            return
        self._looking = False
        if not len(queue):
            return
        message = queue.pop()
        if self._screen:
            self._looking = True  # one message at a time is shown to the intervention handlers
            asking = asyncio.get_running_loop().create_task(self._screen.ask(message, self.tracing))
            asking.add_done_callback(partial(self._screened_in_turn, queue, message))
            return
        self._dispatch(queue, message)
        if len(queue):
            self._look_soon()

    def _screened_in_turn(self, queue: _Queue, message: QueuedMessage, asking: asyncio.Task[Any]) -> None:
        self._screened(queue, message, asking)
        if queue is self._queue:
            self._look_soon()

    def _screened(self, queue: _Queue, message: QueuedMessage, asking: asyncio.Task[Any]) -> None:
        if self._screen.settle(message, asking):
            self._dispatch(queue, message)
        else:
            queue.done()

    def _dispatch(self, queue: _Queue, message: QueuedMessage) -> None:
        if isinstance(message, SentMessage):
            self._spawn(self._answer(queue, message), queue, message, message.recipient)
        elif isinstance(message, Answer):
            self._deliver_answer(message)
            queue.done()
        elif self._kernel.asks_subscriptions:
            self._spawn(self._fan_out_asking(queue, message), queue, message, None)
        else:
            self._fan_out(queue, message)
            queue.done()

    async def _fan_out_asking(self, queue: _Queue, message: PublishedMessage) -> None:
        self._fan_out(queue, message)

    def _fan_out(self, queue: _Queue, message: PublishedMessage) -> None:
        for recipient in self._kernel.recipients(message.topic_id):
            if recipient != message.sender:
                queue.add_work(1)
                self._spawn(self._handle(message, recipient, MessageKind.PUBLISH), queue, message, recipient)

    def _spawn(
        self,
        work: Coroutine[Any, Any, Any],
        queue: _Queue,
        message: SentMessage | PublishedMessage,
        recipient: AgentId | None,
    ) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work[task] = (queue, message, recipient)
        task.add_done_callback(self._work_ended)

    async def _handle(self, message: SentMessage | PublishedMessage, recipient: AgentId, kind: MessageKind) -> Any:
        agent = await self._kernel.get(recipient)
        self._log.moved(message.message, message.sender, recipient, kind, DeliveryStage.DELIVER)
        if self.tracing is None:
            return await self._kernel.invoke(agent, message.message, message.context())
        with self.tracing.span("process", recipient, message.message, origin=message.origin):
            return await self._kernel.invoke(agent, message.message, message.context())

    async def _answer(self, queue: _Queue, asked: SentMessage) -> None:
        answer = Answer(message=await self._handle(asked, asked.recipient, MessageKind.DIRECT), asked=asked)
        self._log.moved(answer.message, asked.recipient, asked.sender, MessageKind.RESPOND, DeliveryStage.SEND)
        if queue is not self._queue or (self._ended is not None and not self._screen):
            self._deliver_answer(answer)
        else:
            self.put(answer)

    def _deliver_answer(self, answer: Answer) -> None:
        asked = answer.asked
        self._log.moved(answer.message, asked.recipient, asked.sender, MessageKind.RESPOND, DeliveryStage.DELIVER)
        if self.tracing is not None:
            with self.tracing.span("ack", asked.sender, answer.message):
                pass
        if not asked.reply.done():
            asked.reply.set_result(answer.message)

    # ── how it ends ──────────────────────────────────────────────────────────────────────────────────────

    def _work_ended(self, task: asyncio.Task[Any]) -> None:
        queue, message, recipient = self._work.pop(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            if recipient is not None:
                self._log.failed(message.message, recipient, error)
            if isinstance(message, SentMessage):
                message.fail(error)
            else:
                self._event_failed(queue, recipient or message.topic_id, error)
        queue.done()

    def _event_failed(self, queue: _Queue, destination: AgentId | TopicId, error: BaseException) -> None:
        level = logging.INFO if isinstance(error, asyncio.CancelledError) else logging.ERROR
        _logger.log(level, "Error processing publish message for %s", destination, exc_info=error)
        if self._raise_unhandled and queue is self._queue and self._unhandled is None:
            self._unhandled = error
            if self._ended is not None:
                self._end(queue)

    def _end(self, queue: _Queue) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        for message in queue.close():
            match message:
                case SentMessage():
                    message.fail(UndeliverableError("the runtime stopped before the message was delivered"))
                case Answer():
                    self._deliver_answer(message)
                case PublishedMessage():
                    _logger.info("The runtime stopped before a message to %s was delivered", message.topic_id)

    def _raise_pending(self) -> None:
        error, self._unhandled = self._unhandled, None
        if error is not None:
            raise error
