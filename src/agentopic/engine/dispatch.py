"""Step 5, Run the handler: one attempt of a turn, and what its end means."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agentopic.core import Agent, AgentId, BaseAgent, MessageContext
from agentopic.core._immutable import immutable
from agentopic.core._kernel import Kernel
from agentopic.core._turn import current_turn, step_path
from agentopic.engine.activation import Activated, Activations
from agentopic.engine.attempt import Attempt
from agentopic.engine.delivery import Delivery, read_delivery
from agentopic.engine.endings import Endings
from agentopic.engine.group import AgentGroup
from agentopic.engine.hooks import TurnHooks
from agentopic.engine.kept_deliveries import KeptDeliveries
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.liveness import Fence
from agentopic.engine.middleware import Middleware, compose
from agentopic.engine.options import EngineOptions
from agentopic.engine.payloads import read_payload
from agentopic.engine.predecessors import Predecessors
from agentopic.engine.retries import ONCE, final_error, retry_delay
from agentopic.engine.steps import Steps, StepTools, TurnLost
from agentopic.engine.turn import Turn
from agentopic.engine.writer import Writer
from agentopic.errors import (
    BlobError,
    BlobUnavailableError,
    CrashLimitError,
    ExpiredError,
    HopLimitError,
    PayloadError,
    StateVersionError,
)
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Finish, Outcome, Started, StateChange
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

SUSPECT_CRASHES = 2
UNREADABLE_WAIT_SECONDS = 5.0
"""How long a delivery waits when its agent's state was written by newer code, or the blob store does not answer."""
GATE_SECONDS = 0.2
"""How long a suspect waits before it asks again whether the gate is free."""


@immutable
class Ended:
    """An attempt's end: what to commit, and the instance to keep once that has happened."""

    finish: Finish
    activated: Activated | None = None
    change: StateChange | None = None


class Dispatcher:
    """Runs the attempts of one agent type."""

    def __init__(
        self,
        group: AgentGroup,
        kernel: Kernel,
        *,
        kept: KeptDeliveries,
        writer: Writer,
        fence: Fence,
        clock: Clock,
        options: EngineOptions,
        gate: asyncio.Lock,
        large: LargePayloads,
        middleware: Sequence[Middleware] = (),
        hooks: TurnHooks | None = None,
    ) -> None:
        self.group = group
        self._kernel, self._options = kernel, options
        self._middleware = middleware
        self._gate, self._kept = gate, kept
        self._large = large
        self._hooks = hooks or TurnHooks()
        self._tools = StepTools(
            writer=writer,
            fence=fence,
            clock=clock,
            retry=options.model_retry,
            on_unknown=group.on_unknown,
            hooks=self._hooks,
        )
        self._endings = Endings(group, kernel, clock=clock, options=options, large=large)
        self._predecessors = Predecessors(writer)
        self.activations = Activations(
            kernel,
            lambda lane: writer.read(lambda: writer.journal.load(lane)),
            state=group.state,
            limit=options.idle_agents,
            clock=clock,
        )

    async def attempt(self, attempt: Attempt) -> Ended:
        """Run the handler once and return how the turn goes on.

        Raises:
            TurnLost: the lane is held by another process; nothing is to be committed.
            CancelledError: this incarnation ends; nothing is to be committed.
        """
        if attempt.started.crashes < SUSPECT_CRASHES:
            return await self._attempt(attempt)
        if self._gate.locked():
            # Waiting outside of the gate must not look like running to whoever buries this process.
            turn = self._unrecorded(attempt)
            return Ended(finish=self._endings.deferred(turn, GATE_SECONDS, failed=False))
        await attempt.slot.enter(self._gate)
        try:
            return await self._attempt(attempt)
        finally:
            attempt.slot.leave()

    async def _attempt(self, attempt: Attempt) -> Ended:
        delivery = self._kept.take(attempt.started)
        recorded, root = await self._predecessors.recorded(attempt.started, delivery)
        steps = Steps(attempt, recorded, root, self._tools)
        turn = Turn(delivery=delivery, namespace=self._options.namespace, steps=steps)
        attempt.run = turn.run
        attempt.enter()
        token = current_turn.set(turn)
        try:
            return await self._live(attempt, turn)
        finally:
            current_turn.reset(token)
            turn.close()
            if steps.are_any:
                self._hooks.ended(turn, steps)
            await attempt.leave()

    async def _live(self, attempt: Attempt, turn: Turn) -> Ended:
        is_held = turn.steps.log.has_saga  # what it has begun must come to an end
        if is_held:
            turn.hold()
        elif attempt.is_unwanted or self._hooks.is_cancelled(turn.run):
            return Ended(finish=self._endings.cancelled(turn))
        if attempt.is_unwanted:
            attempt.token.cancel()
        try:
            self._require_startable(attempt.started, turn.delivery, is_held=is_held)
            ended = await self._handle(attempt, turn)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as exc:  # the one place where whatever a handler raises is classified
            if attempt.is_over("lost"):
                raise TurnLost from exc  # a task group wraps it, a handler may turn it into anything
            if is_held:
                turn.release()
            return await self._broken(attempt, turn, exc)
        if attempt.over is None or attempt.is_over("cancelled"):
            return ended  # a handler that ends in its own way when it is cancelled has done its work
        return await self._broken(attempt, turn, None)

    async def _handle(self, attempt: Attempt, turn: Turn) -> Ended:
        started, delivery = attempt.started, turn.delivery
        activated = await self.activations.activate(delivery.agent, started.lane, started.version)
        attempt.is_durable = not self.activations.are_process_lived

        if self._middleware:
            handler = compose(self._middleware, lambda given: self._invoke(activated.agent, given, attempt))
            result = await handler(delivery)
        else:
            result = await self._invoke(activated.agent, delivery, attempt)
        if turn.steps.stats:
            await self._hooks.handled(turn)
        if attempt.is_struck:
            await attempt.absorb()
        change = await self.activations.change(activated)
        finish = await self._endings.done(turn, result, change)
        return Ended(finish=finish, activated=activated, change=change)

    async def _invoke(self, agent: Agent, delivery: Delivery, attempt: Attempt) -> Any:
        envelope = delivery.envelope
        if envelope.data is None:
            envelope = await self._large.whole(envelope)
        message = read_payload(self._kernel.serializers, self._options.namespace, envelope)
        return await self._kernel.invoke(agent, message, _context(delivery, attempt))

    def refused(self, attempt: Attempt, error: Exception) -> Ended:
        """Return the end of a turn whose results the journal refuses to store: given up, its outputs dropped."""
        dead = self._endings.dead(self._unrecorded(attempt), error, "dead")
        return Ended(finish=replace(dead, asked=True))  # what it had asked is not known here

    def _unrecorded(self, attempt: Attempt) -> Turn:
        """Return a turn that no handler runs in."""
        steps = Steps(attempt, {}, attempt.started.identity, self._tools)
        return Turn(delivery=read_delivery(attempt.started), namespace=self._options.namespace, steps=steps)

    # ── what a failure means ───────────────────────────────────────────────────────────────────────────────

    def _require_startable(self, started: Started, delivery: Delivery, *, is_held: bool) -> None:
        if started.crashes >= SUSPECT_CRASHES + self._options.crash_limit:
            raise CrashLimitError(
                f"the process died {started.crashes} times while this delivery was running,"
                f" {self._options.crash_limit} times with nothing else in the gate"
            )
        envelope = delivery.envelope
        if envelope.aghops > self._options.hop_limit:
            raise HopLimitError(
                f"event {envelope.id!r} has passed {envelope.aghops} agents,"
                f" more than {self._options.hop_limit}: a loop"
            )
        # An event's turn that has begun in time may have waited since; a request's has nobody to answer any more.
        begun = started.attempts > 1 and delivery.request_id is None
        if started.expired and not (begun or is_held):
            raise ExpiredError(f"event {envelope.id!r} had expired before its handler could start")

    async def _broken(self, attempt: Attempt, turn: Turn, error: BaseException | None) -> Ended:
        """Return how a turn goes on whose handler raised: why it was to end (None: swallowed), or its own error."""
        if attempt.is_over("lost"):
            raise TurnLost
        if attempt.is_over("aborted"):
            raise asyncio.CancelledError
        await attempt.absorb()
        if attempt.parked is not None:
            return Ended(finish=attempt.parked)
        if attempt.is_over("cancelled") or error is None:
            return Ended(finish=self._endings.cancelled(turn))
        return await self._failed(attempt, turn, error)

    async def _failed(self, attempt: Attempt, turn: Turn, error: BaseException) -> Ended:
        if isinstance(error, StateVersionError | BlobUnavailableError):
            log.warning("what the turn needs cannot be read yet", reason=type(error).__name__, detail=str(error))
            return Ended(finish=self._endings.deferred(turn, UNREADABLE_WAIT_SECONDS, failed=False))
        failures = attempt.started.failures + 1
        # State that lives in memory may already be changed by a failed attempt: no second one on it.
        delay = retry_delay(error, failures, ONCE if self.activations.are_process_lived else self.group.retry)
        if delay is not None:
            return Ended(finish=self._endings.deferred(turn, delay, failed=True))
        outcome: Outcome = "expired" if isinstance(error, ExpiredError) else "dead"
        return await self._give_up(attempt, turn, final_error(error, failures), outcome)

    async def _give_up(self, attempt: Attempt, turn: Turn, error: BaseException, outcome: Outcome) -> Ended:
        """End a delivery for good, with what the agent's `on_fault` decides about it."""
        turn.outbox.clear()
        activated: Activated | None = None
        change: StateChange | None = None
        failure: BaseException | None = None
        try:
            activated = await self._on_fault(attempt.started, turn, error)
            change = None if activated is None else await self.activations.change(activated)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as exc:  # whatever it is, the delivery is given up all the same
            if attempt.is_over("lost"):
                raise TurnLost from exc
            failure = exc
        if attempt.over is not None:
            return await self._broken(attempt, turn, failure)
        if failure is not None:
            await attempt.absorb()
            log.error("on_fault failed, its outputs are dropped", agent=str(turn.delivery.agent), error=repr(failure))
            turn.outbox.clear()
            activated = change = None
        finish = self._endings.dead(turn, error, outcome, state=change)
        return Ended(finish=finish, activated=activated, change=change)

    async def _on_fault(self, started: Started, turn: Turn, error: BaseException) -> Activated | None:
        """Tell a fresh instance that a delivery is given up; None when its class does not want to know."""
        if not self.activations.hears_faults:
            return None
        activated = await self.activations.activate(turn.delivery.agent, started.lane, started.version)
        agent = activated.agent
        if not self.activations.hears_faults or not isinstance(agent, BaseAgent):
            return None
        message = await self._failed_message(turn.delivery)
        with step_path("on_fault"):
            await agent.on_failed_message(message, error)
        return activated

    async def _failed_message(self, delivery: Delivery) -> Any | None:
        """Return what is given up; None when it is no message."""
        try:
            envelope = await self._large.whole(delivery.envelope)
            return read_payload(self._kernel.serializers, self._options.namespace, envelope)
        except (PayloadError, BlobError):
            return None


def _context(delivery: Delivery, attempt: Attempt) -> MessageContext:
    envelope = delivery.envelope
    kind, key = envelope.agagentsendertype, envelope.agagentsenderkey
    return MessageContext(
        sender=None if kind is None or key is None else AgentId(kind, key),
        topic_id=delivery.topic,
        is_rpc=delivery.request_id is not None,
        cancellation_token=attempt.token,
        message_id=envelope.id,
    )
