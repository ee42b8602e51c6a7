"""Endings: what is committed when a turn is over: its answer, its dead letter, the requests nobody waits for now."""

from __future__ import annotations

from typing import Any

from agentopic.core._kernel import Kernel
from agentopic.engine.deadletters import dead_letter
from agentopic.engine.faults import answer_record, fault_content
from agentopic.engine.group import AgentGroup
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.options import EngineOptions
from agentopic.engine.payloads import write_payload
from agentopic.engine.run_facts import terminal_rows
from agentopic.engine.turn import Content, Turn
from agentopic.envelope import attributes as names
from agentopic.errors import RequestCancelledError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Answer, OutboxRow, Outcome, StateChange, TurnDeferred, TurnDone


class Endings:
    """Writes the ends of one agent type's turns."""

    def __init__(
        self, group: AgentGroup, kernel: Kernel, *, clock: Clock, options: EngineOptions, large: LargePayloads
    ) -> None:
        self._group, self._kernel, self._clock, self._options = group, kernel, clock, options
        self._large = large

    async def done(self, turn: Turn, result: Any, change: StateChange | None) -> TurnDone:
        """Return the end of a turn whose handler returned: its outputs and, of a request, the reply."""
        answer = None
        if turn.delivery.request_id is not None:
            content = await self._large.aside(write_payload(self._kernel.serializers, result))
            answer = self._answer(turn, content, names.KIND_REPLY, "done")
        if turn.steps.log.recorded:
            turn.steps.log.count_diverged()
        return self._finish(turn, "done", outbox=tuple(turn.outbox), answer=answer, state=change)

    def dead(self, turn: Turn, error: BaseException, outcome: Outcome, *, state: StateChange | None = None) -> TurnDone:
        """Return the end of a delivery that is given up: dead letter, fault, and what `on_fault` has decided."""
        letter = dead_letter(
            turn.delivery.record,
            topic=self._group.router.dead_letters,
            group=self._group.group,
            error=error,
            attempts=turn.steps.attempt.started.attempts,
            now=self._clock.now(),
            agent=turn.delivery.agent,
        )
        answer = self._fault(turn, error, outcome)
        return self._finish(turn, outcome, outbox=(letter, *turn.outbox), answer=answer, state=state, error=error)

    def cancelled(self, turn: Turn) -> TurnDone:
        """Return the end of a turn that nobody wants any more: its outputs are dropped, its caller is told."""
        error = RequestCancelledError(f"the work of {turn.delivery.agent} was cancelled")
        return self._finish(turn, "cancelled", answer=self._fault(turn, error, "cancelled"), error=error)

    def deferred(self, turn: Turn, delay_seconds: float, *, failed: bool) -> TurnDeferred:
        """Return the end of an attempt that another one is to follow."""
        started = turn.steps.attempt.started
        return TurnDeferred(
            lane=started.lane,
            token=started.token,
            pos=started.pos or 0,
            delay_seconds=delay_seconds,
            failed=failed,
        )

    # ── parts ──────────────────────────────────────────────────────────────────────────────────────────────

    def _finish(
        self,
        turn: Turn,
        outcome: Outcome,
        *,
        outbox: tuple[OutboxRow, ...] = (),
        answer: Answer | None,
        state: StateChange | None = None,
        error: BaseException | None = None,
    ) -> TurnDone:
        started, log = turn.steps.attempt.started, turn.steps.log
        facts: tuple[OutboxRow, ...] = ()
        if turn.delivery.request_id is not None:
            now = self._clock.now()
            facts = terminal_rows(turn.delivery, outcome, error, namespace=self._options.namespace, now=now)
        return TurnDone(
            lane=started.lane,
            token=started.token,
            pos=started.pos or 0,
            identity=started.identity,
            outcome=outcome,
            state=state,
            outbox=(*outbox, *(_withdrawals(turn) if log.has_asked else ()), *facts),
            answer=answer,
            asked=log.has_asked,
        )

    def _fault(self, turn: Turn, error: BaseException, outcome: Outcome) -> Answer | None:
        if turn.delivery.request_id is None:
            return None
        return self._answer(turn, fault_content(error), names.KIND_FAULT, outcome)

    def _answer(self, turn: Turn, content: Content, kind: str, outcome: Outcome) -> Answer:
        request_id = turn.delivery.request_id or ""
        return answer_record(turn.answer(content, kind), request_id, outcome, self._options.dedup_seconds)


def _withdrawals(turn: Turn) -> list[OutboxRow]:
    withdraw, requests = turn.steps.tools.hooks.withdraw, turn.steps.log.open_requests()
    return [row for key, recipient in requests.items() for row in withdraw(turn, recipient, key.hex())]
