"""Step 5, Run the handler: one attempt of a turn, and what its end means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentopic.core import AgentId, CancellationToken, MessageContext
from agentopic.core._kernel import Kernel
from agentopic.core._turn import current_turn
from agentopic.engine.activation import Activated, Activations
from agentopic.engine.deadletters import dead_letter, told
from agentopic.engine.delivery import Delivery, read_delivery
from agentopic.engine.group import AgentGroup
from agentopic.engine.liveness import Fence
from agentopic.engine.middleware import CallNext, Middleware, compose
from agentopic.engine.options import EngineOptions
from agentopic.engine.payloads import FAULT_TYPE, read_payload, write_payload
from agentopic.engine.retries import final_error, is_retryable, retry_delay
from agentopic.engine.steps import Steps, TurnLost
from agentopic.engine.turn import Content, Turn
from agentopic.engine.writer import Finished, Writer
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.errors import CrashLimitError, ExpiredError, HopLimitError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Answer, Outcome, Started, StateChange, StepRow, TurnDeferred, TurnDone

SUSPECT_CRASHES = 2
GATE_SECONDS = 0.2
"""How long a suspect waits before it asks again whether the gate is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An attempt's end: what to commit, and the instance to keep once that has happened."""

    finish: Finished
    activated: Activated | None = None
    change: StateChange | None = None


class Dispatcher:
    """Runs the attempts of one agent type."""

    def __init__(
        self,
        group: AgentGroup,
        kernel: Kernel,
        *,
        writer: Writer,
        fence: Fence,
        clock: Clock,
        options: EngineOptions,
        gate: asyncio.Lock,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        self.group = group
        self._kernel, self._writer, self._fence, self._clock = kernel, writer, fence, clock
        self._options = options
        self._middleware = middleware
        self._gate = gate
        self.activations = Activations(kernel, self._load, state=group.state, limit=options.idle_agents)

    async def attempt(self, started: Started) -> Ended:
        """Run the handler once and return how the turn goes on.

        Raises:
            TurnLost: the lane is held by another process; nothing is to be committed.
        """
        if started.crashes < SUSPECT_CRASHES:
            return await self._attempt(started)
        if self._gate.locked():
            # Waiting outside of the gate must not look like running to whoever buries this process.
            return Ended(finish=_deferred(started, GATE_SECONDS, failed=False))
        async with self._gate:
            return await self._attempt(started)

    async def _attempt(self, started: Started) -> Ended:
        steps = self._steps(started, await self._recorded(started))
        turn = Turn(delivery=read_delivery(started), namespace=self._options.namespace, steps=steps)
        token = current_turn.set(turn)
        try:
            self._require_startable(started, turn.delivery)
            return await self._handle(started, turn)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as exc:  # the one place where whatever a handler raises is classified
            if steps.lost:
                raise TurnLost from exc  # a task group wraps it, a handler may turn it into anything
            if _is_unwound():
                raise
            return self._failed(started, turn, exc)
        finally:
            current_turn.reset(token)
            turn.close()

    async def _handle(self, started: Started, turn: Turn) -> Ended:
        delivery = turn.delivery
        activated = await self.activations.activate(delivery.agent, started.lane, started.version)

        async def call(delivery: Delivery) -> Any:
            message = read_payload(self._kernel.serializers, self._options.namespace, delivery.envelope)
            return await self._kernel.invoke(activated.agent, message, _context(delivery))

        handler: CallNext = compose(self._middleware, call) if self._middleware else call
        result = await handler(delivery)
        change = await self.activations.change(activated)
        finish = TurnDone(
            lane=started.lane,
            token=started.token,
            pos=started.pos or 0,
            identity=started.identity,
            state=change,
            outbox=tuple(turn.outbox),
            answer=self._reply(turn, result),
        )
        return Ended(finish=finish, activated=activated, change=change)

    def refused(self, started: Started, error: Exception) -> Ended:
        """Return the end of a turn whose results the journal refuses to store: given up, its outputs dropped."""
        turn = Turn(delivery=read_delivery(started), namespace=self._options.namespace, steps=self._steps(started, {}))
        return Ended(finish=self._dead(started, turn, error, "dead"))

    def _steps(self, started: Started, recorded: Mapping[bytes, StepRow]) -> Steps:
        return Steps(
            started,
            recorded,
            writer=self._writer,
            fence=self._fence,
            clock=self._clock,
            retry=self._options.model_retry,
        )

    # ── what a failure means ───────────────────────────────────────────────────────────────────────────────

    def _require_startable(self, started: Started, delivery: Delivery) -> None:
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
        expiry = envelope.expirytime
        if expiry is not None and expiry <= self._clock.now():
            raise ExpiredError(f"event {envelope.id!r} expired at {expiry.isoformat()}")

    def _failed(self, started: Started, turn: Turn, error: BaseException) -> Ended:
        failures = started.failures + 1
        delay = retry_delay(error, failures, self.group.retry)
        if delay is not None:
            return Ended(finish=_deferred(started, delay, failed=True))
        outcome: Outcome = "expired" if isinstance(error, ExpiredError) else "dead"
        return Ended(finish=self._dead(started, turn, final_error(error, failures), outcome))

    def _dead(self, started: Started, turn: Turn, error: BaseException, outcome: Outcome) -> TurnDone:
        letter = dead_letter(
            turn.delivery.record,
            topic=self.group.router.dead_letters,
            group=self.group.group,
            error=error,
            attempts=started.attempts,
            now=self._clock.now(),
        )
        return TurnDone(
            lane=started.lane,
            token=started.token,
            pos=started.pos or 0,
            identity=started.identity,
            outcome=outcome,
            outbox=(letter,),
            answer=self._fault(turn, error, outcome),
        )

    # ── answers of requests ────────────────────────────────────────────────────────────────────────────────

    def _reply(self, turn: Turn, result: Any) -> Answer | None:
        if turn.delivery.request_id is None:
            return None
        content = write_payload(self._kernel.serializers, result)
        return self._answer(turn, content, names.KIND_REPLY, "done")

    def _fault(self, turn: Turn, error: BaseException, outcome: Outcome) -> Answer | None:
        if turn.delivery.request_id is None:
            return None
        fault = {"error_type": type(error).__name__, "message": told(error), "retryable": is_retryable(error)}
        content = Content(type=FAULT_TYPE, datacontenttype="application/json", data=json.dumps(fault).encode())
        return self._answer(turn, content, names.KIND_FAULT, outcome)

    def _answer(self, turn: Turn, content: Content, kind: str, outcome: Outcome) -> Answer:
        request_id = turn.delivery.request_id or ""
        message = encode(turn.answer(content, kind), key=request_id.encode())
        return Answer(
            request_id=request_id,
            outcome=outcome,
            key=message.key,
            value=message.value,
            headers=message.headers,
            keep_seconds=self._options.dedup_seconds,
        )

    # ── reading what earlier attempts left ─────────────────────────────────────────────────────────────────

    async def _recorded(self, started: Started) -> dict[bytes, StepRow]:
        if started.attempts == 1:
            return {}
        rows = await self._writer.read(lambda: self._writer.journal.recorded(started.identity))
        return {row.key: row for row in rows}

    async def _load(self, lane: bytes) -> Any:
        return await self._writer.read(lambda: self._writer.journal.load(lane))


def _is_unwound() -> bool:
    """Whether the engine is cancelling this turn; a cancellation that the handler met on its own is its failure."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _deferred(started: Started, delay: float, *, failed: bool) -> TurnDeferred:
    return TurnDeferred(
        lane=started.lane, token=started.token, pos=started.pos or 0, delay_seconds=delay, failed=failed
    )


def _context(delivery: Delivery) -> MessageContext:
    envelope = delivery.envelope
    kind, key = envelope.agagentsendertype, envelope.agagentsenderkey
    return MessageContext(
        sender=None if kind is None or key is None else AgentId(kind, key),
        topic_id=delivery.topic,
        is_rpc=delivery.request_id is not None,
        cancellation_token=CancellationToken(),
        message_id=envelope.id,
    )
