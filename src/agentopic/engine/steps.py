"""Steps: every outside call of a turn, its intent stored before it and its result after it (design section 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from agentopic.core._turn import OnUnknown, StepSpec
from agentopic.engine.attempt import Attempt
from agentopic.engine.calls import Admission, Failed, Value, first_of, make
from agentopic.engine.hooks import TurnHooks
from agentopic.engine.liveness import Fence
from agentopic.engine.options import RetryPolicy
from agentopic.engine.retries import retry_delay
from agentopic.engine.step_decisions import allow_divergence, settle_unknown
from agentopic.engine.step_keys import Scope, inside_step
from agentopic.engine.step_log import StepCounts, StepLog, TurnLost
from agentopic.engine.step_records import cancelled_record, failure_record, value_record
from agentopic.engine.suspension import PATIENCE_SECONDS
from agentopic.engine.waits import TurnUnwound, Wait, WaitSpec
from agentopic.engine.writer import Writer
from agentopic.errors import AgentopicError, ProcessBuriedError, RequestError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Spend, StepRow

if TYPE_CHECKING:
    from agentopic.engine.turn import Turn

T = TypeVar("T")

LONG_DELAY_SECONDS = 5.0
"""A retry delay inside a step that is longer gives the slot back."""
AGAIN_SECONDS = 1.0
"""How much longer than on its first attempt a wait that was broken off waits to be broken off again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTools:
    """What the steps of one agent type work with."""

    writer: Writer
    fence: Fence
    clock: Clock
    retry: RetryPolicy
    on_unknown: OnUnknown = "tell"
    hooks: TurnHooks = field(default_factory=TurnHooks)


class Steps:
    """The steps of one attempt."""

    __slots__ = ("_turn", "attempt", "log", "tools")

    def __init__(self, attempt: Attempt, recorded: Mapping[bytes, StepRow], root: bytes, tools: StepTools) -> None:
        """Find results by keys under `root`, the identity that all redrives of a delivery share."""
        self.attempt, self.tools = attempt, tools
        self.log = StepLog(attempt, recorded, writer=tools.writer)
        self._turn = Scope(root)

    @property
    def are_any(self) -> bool:
        """Whether this attempt has asked for steps, or earlier ones have left some."""
        return bool(self._turn.occurrences or self.log.recorded)

    @property
    def stats(self) -> Mapping[str, StepCounts]:
        """What was called, saved, repeated and diverged, by step kind."""
        return self.log.counts

    def next_id(self) -> tuple[str | int, ...]:
        """Return where an id is minted and its number there.

        The inside of a step counts on its own: a later attempt that is given the step's result does not run it.
        """
        return (inside_step.get() or self._turn).next_id()

    def is_known(self, spec: StepSpec[Any]) -> bool:
        """Whether an earlier attempt has begun the step that a call with this spec would be now."""
        return inside_step.get() is None and self._turn.next_key(spec) in self.log.recorded

    def number(self, name: str) -> int:
        """Count a name at this place of the turn, or of the running step."""
        return (inside_step.get() or self._turn).number(name)

    def require_going(self) -> None:
        """Return while this attempt is to go on.

        Raises:
            TurnLost: another process holds the lane.
            TurnUnwound: the turn is to be run again later.
            CancelledError: nobody wants it any more, or this incarnation ends.
        """
        if self.attempt.over is None and self.tools.hooks.is_cancelled(self.attempt.run):
            self.attempt.cancel()
        match self.attempt.over:
            case None:
                return
            case "lost":
                raise TurnLost
            case "unwound":
                raise TurnUnwound
            case "cancelled" | "aborted" | "ended":
                raise asyncio.CancelledError

    # ── calls ──────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self, turn: Turn, spec: StepSpec[T], call: Callable[[str], Awaitable[T]]) -> T:
        """Return the recorded result of a step, or make the call and record what came back.

        Raises:
            StepOutcomeUnknownError: an unrepeatable call was open when an earlier attempt died.
            StepFailedError: the call failed for good on an earlier attempt; its message is the recorded one.
        """
        outer = inside_step.get()
        key = (outer or self._turn).step_key(spec)
        if outer is not None:
            return await call(key.hex())
        self.require_going()
        try:
            return await self._once(turn, spec, call, key)
        except (TurnLost, ProcessBuriedError) as exc:
            raise self._lose() from exc

    def _lose(self) -> TurnLost:
        if self.attempt.over != "aborted":
            self.attempt.over = "lost"
        return TurnLost()

    async def _once(self, turn: Turn, spec: StepSpec[T], call: Callable[[str], Awaitable[T]], key: bytes) -> T:
        known = self.log.known(key)
        if known is not None and known.result is not None:
            self.log.count(spec.kind).saved += 1
            return self.log.replay(spec, known.result)
        if known is None:
            if self.log.recorded and not spec.repeatable:
                await allow_divergence(turn, self, spec)
            return await self._call(turn, spec, call, key)
        if spec.repeatable:
            self.log.count(spec.kind).unknown += 1
            return await self._call(turn, spec, call, key)
        row = await self.log.open(spec, key)
        if row.result is not None:
            return self.log.replay(spec, row.result)
        settled = await settle_unknown(turn, self, spec, key)
        return await self._call(turn, spec, call, key) if settled is None else self.log.replay(spec, settled)

    async def _call(self, turn: Turn, spec: StepSpec[T], call: Callable[[str], Awaitable[T]], key: bytes) -> T:
        spent: list[Spend] = []
        failures, is_open = 0, False
        while True:
            admission = Admission(turn, spec, self.tools.hooks.guards)
            try:
                outcome: T | Failed | None = await self._admit(admission, pinned=is_open)
                if outcome is None and not is_open:
                    row = await self.log.open(spec, key)
                    if row.result is not None:
                        return self.log.replay(spec, row.result)
                    is_open = True
                if outcome is None:
                    outcome = await self._made(admission, spec, call, key, spent)
            finally:
                self.log.stray += admission.leave(Failed(asyncio.CancelledError()))
            if not isinstance(outcome, Failed):
                return await self._keep(spec, key, outcome, spent)
            failures += 1
            delay = retry_delay(outcome.error, failures, self.tools.retry) if spec.kind == "model" else None
            if delay is None:
                if not (is_open and await self._keep_failure(spec, key, outcome.error, spent)):
                    self.log.stray += spent
                raise outcome.error
            await self._pause(delay)

    async def _admit(self, admission: Admission, *, pinned: bool) -> Failed | None:
        if not self.tools.hooks.guards:
            return None
        async with self.attempt.suspension.resting(PATIENCE_SECONDS, pinned=pinned):
            return await admission.enter()

    async def _made(
        self,
        admission: Admission,
        spec: StepSpec[T],
        call: Callable[[str], Awaitable[T]],
        key: bytes,
        spent: list[Spend],
    ) -> T | Failed:
        suspension = self.attempt.suspension
        await suspension.begin()
        try:
            self.require_going()
            await self.tools.fence.pass_through()
            began = self.tools.clock.monotonic()
            self.log.count(spec.kind).made += 1
            scope = Scope(key, repeatable=spec.repeatable)
            outcome = await make(call, scope)
            if scope.broken_off is not None:  # what code makes of that, which catches everything, is no result
                raise scope.broken_off
            spent += admission.leave(outcome, self.tools.clock.monotonic() - began)
            return outcome
        finally:
            suspension.end()

    async def _pause(self, seconds: float) -> None:
        if seconds <= LONG_DELAY_SECONDS:
            await asyncio.sleep(seconds)
            return
        async with self.attempt.suspension.resting():
            await asyncio.sleep(seconds)

    async def _keep(self, spec: StepSpec[T], key: bytes, value: T, spent: list[Spend]) -> T:
        blob = value_record(spec.encode(value), self.tools.clock.now())
        stored = await self.log.close(key, blob, spend=spent)
        if stored != blob:
            return self.log.replay(spec, stored)
        self.log.read(stored)
        return value

    async def _keep_failure(self, spec: StepSpec[T], key: bytes, error: BaseException, spent: list[Spend]) -> bool:
        """A tool that failed has a known outcome: the next attempt shall see the same failure, not call again."""
        retryable = isinstance(error, AgentopicError) and error.retryable
        if spec.kind == "model" or retryable or not isinstance(error, Exception) or isinstance(error, OSError):
            return False
        self.log.read(await self.log.close(key, failure_record(error, self.tools.clock.now()), spend=spent))
        return True

    # ── waits ──────────────────────────────────────────────────────────────────────────────────────────────

    async def wait(self, spec: WaitSpec[T], call: Callable[[Wait], Awaitable[T]]) -> T:
        """Return the recorded result of a waiting step, or wait for it, here or from outside.

        `call` gets the result if that can be done here. Errors of class RequestError that it raises are recorded,
        under the lane's token; others are raised and leave the step open.
        """
        outer = inside_step.get()
        key = (outer or self._turn).step_key(spec)
        self.require_going()
        try:
            known = self.log.known(key)
            row = known if known is not None and known.result is not None else await self._open_wait(spec, key)
            if row.result is None:
                if not self.attempt.may_wait:
                    raise asyncio.CancelledError
                return await self._wait(spec, call, row, outer)
            return await self._replay_wait(spec, call, row.result, key)
        except (TurnLost, ProcessBuriedError) as exc:
            lost = self._lose()
            if outer is not None:
                outer.broken_off = lost
            raise lost from exc
        except TurnUnwound as exc:
            if outer is not None:
                outer.broken_off = exc
            raise

    async def post(self, spec: WaitSpec[None]) -> None:
        """Store the rows of a step, unless an earlier attempt has; they leave at once, whatever becomes of the turn."""
        key = (inside_step.get() or self._turn).step_key(spec)
        self.require_going()
        try:
            known = self.log.known(key)
            row = known if known is not None else await self._open_wait(spec, key)
            blob = row.result
            if blob is None:
                blob = await self.log.close(key, value_record(spec.encode(None), self.tools.clock.now()))
            self.log.read(blob)
        except (TurnLost, ProcessBuriedError) as exc:
            raise self._lose() from exc

    async def _open_wait(self, spec: WaitSpec[T], key: bytes) -> StepRow:
        # Unwound meanwhile, the turn would be parked without knowing when this wait is due.
        with self.attempt.suspension.pinned():
            return await self.log.open(spec, key)

    async def _wait(
        self, spec: WaitSpec[T], call: Callable[[Wait], Awaitable[T]], row: StepRow, outer: Scope | None
    ) -> T:
        began = asyncio.get_running_loop().time()
        due_at = None if row.remaining_seconds is None else began + row.remaining_seconds
        opened = self.attempt.open_wait(row.key, spec.kind, due_at, outer, again=spec.again_seconds)
        wait = Wait(key=row.key, fresh=row.fresh, due_ms=row.due_ms, due_at=due_at)
        try:
            outcome = await first_of(opened, call, wait)
        except asyncio.CancelledError:
            if self.attempt.over is None:
                await self._break_off(spec, row.key, asyncio.get_running_loop().time() - began)
            raise
        finally:
            self.attempt.close_wait(opened, outer)
        stored = await self._keep_wait(spec, row.key, outcome)
        self.require_going()
        await self.attempt.suspension.resume()
        return self.log.replay(spec, stored)

    async def _keep_wait(self, spec: WaitSpec[T], key: bytes, outcome: bytes | Value[T] | Failed) -> bytes:
        now = self.tools.clock.now()
        if isinstance(outcome, bytes):
            self.log.settled(key)
            return outcome
        if isinstance(outcome, Value):
            return await self.log.close(key, value_record(spec.encode(outcome.value), now), waited=True)
        if not isinstance(outcome.error, RequestError):
            await self.attempt.suspension.resume()
            raise outcome.error
        return await self.log.close(key, failure_record(outcome.error, now), waited=True, held=True)

    async def _break_off(self, spec: WaitSpec[T], key: bytes, seconds: float) -> None:
        """Record that code of the turn broke this wait off, so that a later attempt does not find it answered."""
        broken_off = cancelled_record(seconds, self.tools.clock.now())
        self.log.read(await self.log.close(key, broken_off, waited=True, held=True))
        if spec.kind == "request":
            self.log.withdraw(key, spec.name)

    async def _replay_wait(self, spec: WaitSpec[T], call: Callable[[Wait], Awaitable[T]], blob: bytes, key: bytes) -> T:
        after = self.log.read(blob).cancelled_after
        if after is None:
            return self.log.replay(spec, blob)
        if spec.kind == "request":
            self.log.withdraw(key, spec.name)
        # What broke it off then, a time-out or the branch that was faster, breaks it off again.
        async with self.attempt.suspension.resting():
            await asyncio.sleep(after + AGAIN_SECONDS)
        if not self.attempt.may_wait:
            raise asyncio.CancelledError
        # It does not: the branch that failed has not failed this time. It is waited for anew.
        return await self.wait(spec, call)


__all__ = ["StepTools", "Steps", "TurnLost"]
