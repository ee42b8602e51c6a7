"""Handling: runs the handlers of process-lived agents, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from agentopic.core import AgentId, CancellationToken, ClosureAgent, MessageContext, TopicId
from agentopic.core._kernel import Kernel
from agentopic.core._turn import current_turn
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.options import EngineOptions
from agentopic.engine.payloads import read_payload
from agentopic.engine.process_lived.causes import cause_here
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
        self, kernel: Kernel, members: Members, options: EngineOptions, *, clock: Clock, large: LargePayloads
    ) -> None:
        self._kernel, self._members, self._options = kernel, members, options
        self._clock, self._large = clock, large
        self._tasks: set[asyncio.Task[Any]] = set()
        self._context: Context | None = None

    @property
    def running(self) -> int:
        """How many handlers have not ended."""
        return len(self._tasks)

    def begin(self) -> None:
        """Give handlers a copy of the present context variables from now on."""
        self._context = copy_context()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a handler that nobody here waits for."""
        context = None if self._context is None else self._context.copy()
        return self._noted(asyncio.get_running_loop().create_task(work, context=context))

    def _noted(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def deliver(
        self, envelope: Envelope, agent: AgentId, *, topic: TopicId | None, token: CancellationToken | None = None
    ) -> Any:
        """Have an agent handle an event, or a request (without `topic`), and return its handler's result.

        Raises:
            ExpiredError: it is of no use any more.
            HopLimitError: it has passed too many agents.
            UnknownAgentError: there is no such agent in this process.
            PayloadError: its payload cannot be read.
        """
        current_turn.set(None)
        cause_here.set(envelope)
        self._require_startable(envelope)
        whole = await self._large.whole(envelope)
        message = read_payload(self._kernel.serializers, self._options.namespace, whole)
        context = MessageContext(
            sender=self._sender(envelope),
            topic_id=topic,
            is_rpc=topic is None,
            cancellation_token=token or CancellationToken(),
            message_id=envelope.id,
        )
        return await self._invoke(agent, message, context)

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
        work = self._noted(asyncio.get_running_loop().create_task(self._invoke(agent, message, context)))
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
