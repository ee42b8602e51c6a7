"""Handling: runs the handlers of process-lived agents, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from agentopic.core import AgentId, CancellationToken, ClosureAgent, MessageContext, TopicId
from agentopic.core._kernel import Kernel
from agentopic.core._turn import current_turn
from agentopic.engine.attempt import CANCEL_SECONDS
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.middleware import Middleware
from agentopic.engine.options import EngineOptions
from agentopic.engine.payloads import read_payload
from agentopic.engine.process_lived.causes import cause_here, run_of
from agentopic.engine.process_lived.curbs import Curbs
from agentopic.engine.process_lived.enclosing import enclosed, plain_call
from agentopic.engine.process_lived.members import Members
from agentopic.envelope import Envelope, new_id
from agentopic.errors import ExpiredError, HopLimitError, RequestTimeoutError
from agentopic.ports.clock import Clock
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

CLOSE_SECONDS = 5.0
"""How long a handler that was cancelled may take to end."""


class Handling:
    """The handlers that run. They interleave; messages are begun in the order in which they came.

    `begin` decides what their context variables are: those of the code that starts the runtime.
    """

    def __init__(
        self,
        kernel: Kernel,
        members: Members,
        options: EngineOptions,
        *,
        clock: Clock,
        large: LargePayloads,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        self._kernel, self._members, self._options = kernel, members, options
        self._clock, self._large, self._middleware = clock, large, middleware
        self.curbs = Curbs()
        self._tasks: dict[asyncio.Task[Any], tuple[str | None, CancellationToken | None]] = {}
        """What runs, with the run it belongs to and the token its handler has of this class."""
        self._context: Context | None = None

    @property
    def running(self) -> int:
        """How many handlers have not ended."""
        return len(self._tasks)

    def begin(self) -> None:
        """Give handlers a copy of the present context variables from now on."""
        self._context = copy_context()

    def spawn(self, envelope: Envelope, agent: AgentId, *, topic: TopicId | None) -> asyncio.Task[Any]:
        """Have an agent handle an event, or a request (without `topic`); the task returns its handler's result.

        The task raises:
            RequestCancelledError: the run it belongs to has been cancelled.
            ExpiredError: it is of no use any more.
            HopLimitError: it has passed too many agents.
            UnknownAgentError: there is no such agent in this process.
            PayloadError: its payload cannot be read.
        """
        token = CancellationToken()
        context = None if self._context is None else self._context.copy()
        work = self._deliver(envelope, agent, topic, token)
        task = asyncio.get_running_loop().create_task(work, context=context)
        return self._noted(task, run_of(envelope), token)

    def _noted(self, task: asyncio.Task[Any], run: str | None, token: CancellationToken | None) -> asyncio.Task[Any]:
        self._tasks[task] = run, token
        task.add_done_callback(self._tasks.pop)
        return task

    def cancel(self, task: asyncio.Task[Any]) -> None:
        """Have a handler know that nobody wants its work any more, and cut it off if it goes on."""
        _, token = self._tasks.get(task, (None, None))
        loop = asyncio.get_running_loop()
        if token is not None:
            loop.call_soon(token.cancel)  # its callbacks are the handler's own
        # As everywhere: a handler may end by itself before it is cut off.
        loop.call_later(CANCEL_SECONDS, task.cancel)

    def cancel_run(self, run: str) -> None:
        """End what is handled here of a run, and begin nothing more of it."""
        self.curbs.cancel(run)
        for task in [task for task, (mine, _) in self._tasks.items() if mine == run]:
            self.cancel(task)

    async def _deliver(
        self, envelope: Envelope, agent: AgentId, topic: TopicId | None, token: CancellationToken
    ) -> Any:
        current_turn.set(None)
        cause_here.set(envelope)
        await self.curbs.passed(agent, envelope)
        self._require_startable(envelope)
        context = MessageContext(
            sender=self._sender(envelope),
            topic_id=topic,
            is_rpc=topic is None,
            cancellation_token=token,
            message_id=envelope.id,
        )

        async def handle(given: Envelope) -> Any:
            whole = await self._large.whole(given)
            message = read_payload(self._kernel.serializers, self._options.namespace, whole)
            return await self._invoke(agent, message, context)

        return await enclosed(self._middleware, envelope, agent, topic, handle)

    def _require_startable(self, envelope: Envelope) -> None:
        if envelope.expirytime is not None and envelope.expirytime <= self._clock.now():
            raise ExpiredError(f"event {envelope.id!r} had expired before its handler could start")
        if envelope.aghops > self._options.hop_limit:
            raise HopLimitError(
                f"event {envelope.id!r} has passed {envelope.aghops} agents,"
                f" more than {self._options.hop_limit}: a loop"
            )

    def _sender(self, envelope: Envelope) -> AgentId | None:
        kind, key = envelope.agagentsendertype, envelope.agagentsenderkey
        return None if kind is None or key is None else self._members.inside(AgentId(kind, key))

    async def call(
        self,
        message: Any,
        agent: AgentId,
        *,
        sender: AgentId | None,
        token: CancellationToken | None,
        message_id: str | None,
        seconds: float | None,
    ) -> Any:
        """Have an agent of this process handle a message as it is; return its result or raise what it raises.

        Raises:
            UnknownAgentError: there is no such agent in this process.
            RequestTimeoutError: it did not answer within so many seconds; its handler goes on.
            asyncio.CancelledError: the token was cancelled; the handler, which has the token too, goes on.
        """
        token = token or CancellationToken()
        context = MessageContext(sender, None, True, token, message_id or new_id())
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        cause = cause_here.get()
        task = asyncio.get_running_loop().create_task(self._called(agent, message, context, cause))
        work = self._noted(task, None if cause is None else run_of(cause), None)
        work.add_done_callback(partial(_tell, reply, agent))
        token.link_future(reply)
        try:
            done, _ = await asyncio.wait({reply}, timeout=seconds)
        except asyncio.CancelledError:
            reply.cancel()
            raise
        if not done:
            reply.cancel()
            raise RequestTimeoutError(f"{agent} did not answer before the deadline")
        return reply.result()

    async def _called(self, agent: AgentId, message: Any, context: MessageContext, cause: Envelope | None) -> Any:
        await self.curbs.passed(agent, cause)
        if not self._middleware:
            return await self._invoke(agent, message, context)
        request = plain_call(
            self._kernel.serializers, self._options.namespace, message, agent, context, now=self._clock.now()
        )
        return await enclosed(self._middleware, request, agent, None, lambda _: self._invoke(agent, message, context))

    async def _invoke(self, agent_id: AgentId, message: Any, context: MessageContext) -> Any:
        agent = await self._kernel.get(agent_id)
        try:
            return await self._kernel.invoke(agent, message, context)
        finally:
            if type(agent) is ClosureAgent and len(self._kernel.instances) > self._options.idle_agents:
                self._kernel.discard(agent_id)  # it has no state: its function has, and stays

    # ── its end ────────────────────────────────────────────────────────────────────────────────────────────

    async def settle(self, seconds: float) -> None:
        """Wait until all handlers have ended, but the one that waits here, and no longer than so many seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (others := self._others()) and loop.time() < end:
            await asyncio.wait(others, timeout=end - loop.time(), return_when=asyncio.FIRST_COMPLETED)

    async def aclose(self) -> None:
        """Cancel the handlers that still run."""
        others = self._others()
        for task in others:
            task.cancel()
        if others:
            log.warning("handlers are cut off, their process ends", handlers=len(others))
            await asyncio.wait(others, timeout=CLOSE_SECONDS)

    def _others(self) -> set[asyncio.Task[Any]]:
        return {task for task in self._tasks if task is not asyncio.current_task()}


def _tell(reply: asyncio.Future[Any], agent: AgentId, work: asyncio.Task[Any]) -> None:
    error = None if work.cancelled() else work.exception()
    if reply.done():
        if error is not None:
            log.warning("a handler failed after its caller had given up", agent=str(agent), error=repr(error))
    elif work.cancelled():
        reply.cancel()
    elif error is not None:
        reply.set_exception(error)
    else:
        reply.set_result(work.result())
