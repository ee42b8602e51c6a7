"""Steps: every outside call of a turn, its intent stored before it and its result after it (design section 6)."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any, TypeVar

from agentopic.concealment import redacted
from agentopic.core._turn import StepSpec
from agentopic.engine.liveness import Fence
from agentopic.engine.options import RetryPolicy
from agentopic.engine.retries import retry_delay
from agentopic.engine.writer import Writer
from agentopic.errors import AgentopicError, ProcessBuriedError, StepFailedError, StepOutcomeUnknownError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Started, StepIntent, StepResult, StepRow

T = TypeVar("T")

VALUE, FAILURE = 0, 1
_STAMP = struct.Struct(">BQ")


class _Scope:
    """The inside of a running step: what is called there is part of it, with keys of its own."""

    __slots__ = ("key", "minted", "occurrences")

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.minted = 0
        self.occurrences: dict[bytes, int] = {}


_inside_step: ContextVar[_Scope | None] = ContextVar("agentopic_inside_step", default=None)


class TurnLost(BaseException):
    """Unwinds a turn whose lane is held by another process; a BaseException, so that no handler's code eats it."""


class Steps:
    """The steps of one attempt.

    A step's key is (kind, name, fingerprint of the canonical input, n-th occurrence): it has no position, so that
    parallel branches need no order.
    """

    def __init__(
        self,
        started: Started,
        recorded: Mapping[bytes, StepRow],
        *,
        writer: Writer,
        fence: Fence,
        clock: Clock,
        retry: RetryPolicy,
    ) -> None:
        self._started = started
        self._recorded = dict(recorded)
        self._writer, self._fence, self._clock, self._retry = writer, fence, clock, retry
        self._turn = _Scope(started.identity)
        self.lost = False
        """Whether the lane turned out to be another process's: the attempt is void, whoever caught the news."""
        self.last_ms = 0
        """When the latest step ended, in ms since the epoch, as recorded; 0 before the first."""

    async def run(self, spec: StepSpec[T], call: Callable[[str], Awaitable[T]]) -> T:
        """Return the recorded result of a step, or make the call and record what came back.

        Raises:
            StepOutcomeUnknownError: an unrepeatable call was open when an earlier attempt died.
            StepFailedError: the call failed for good on an earlier attempt; its message is the recorded one.
        """
        outer = _inside_step.get()
        key = _key(spec, outer or self._turn)
        if outer is not None:
            return await call(key.hex())
        try:
            return await self._once(spec, call, key)
        except (TurnLost, ProcessBuriedError) as exc:
            self.lost = True
            raise TurnLost from exc

    def next_id(self) -> tuple[str, int]:
        """Return where an id is minted and its number there.

        The inside of a step counts on its own: a later attempt that is given the step's result does not run it.
        """
        scope = _inside_step.get() or self._turn
        scope.minted += 1
        return scope.key.hex(), scope.minted

    async def _once(self, spec: StepSpec[T], call: Callable[[str], Awaitable[T]], key: bytes) -> T:
        known = self._recorded.get(key)
        if known is None or known.result is None:
            row = await self._open(spec, key)
            if row.result is None:
                if known is not None and not spec.repeatable:
                    raise StepOutcomeUnknownError(
                        f"{spec.kind} {spec.name!r} was being called when an earlier attempt died:"
                        " whether it took effect is unknown"
                    )
                return await self._call(spec, call, key)
            known = row
        return self._replay(spec, known.result or b"")

    async def _open(self, spec: StepSpec[T], key: bytes) -> StepRow:
        started = self._started
        intent = StepIntent(
            lane=started.lane,
            token=started.token,
            pos=started.pos or 0,
            turn=started.identity,
            key=key,
            kind=spec.kind,
            name=spec.name,
        )
        row = await self._writer.open_step(intent)
        if row is None:
            raise TurnLost
        return row

    async def _call(self, spec: StepSpec[T], call: Callable[[str], Awaitable[T]], key: bytes) -> T:
        failures = 0
        while True:
            await self._fence.pass_through()
            outcome = await _outcome(call, key)
            if not isinstance(outcome, _Failed):
                return await self._keep(spec, key, outcome)
            failures += 1
            delay = retry_delay(outcome.error, failures, self._retry) if spec.kind == "model" else None
            if delay is None:
                await self._keep_failure(spec, key, outcome.error)
                raise outcome.error
            await asyncio.sleep(delay)

    async def _keep(self, spec: StepSpec[T], key: bytes, value: T) -> T:
        blob = self._stamped(VALUE, spec.encode(value))
        stored = await self._close(key, blob)
        return value if stored == blob else self._replay(spec, stored)

    async def _keep_failure(self, spec: StepSpec[T], key: bytes, error: Exception) -> None:
        """A tool that failed has a known outcome: the next attempt shall see the same failure, not call again."""
        retryable = isinstance(error, AgentopicError) and error.retryable
        if spec.kind not in {"tool", "effect"} or retryable or isinstance(error, asyncio.TimeoutError | OSError):
            return
        text = json.dumps({"type": type(error).__name__, "message": redacted(str(error))}).encode()
        await self._close(key, self._stamped(FAILURE, text))

    def _stamped(self, tag: int, payload: bytes) -> bytes:
        return _STAMP.pack(tag, int(self._clock.now().timestamp() * 1000)) + payload

    async def _close(self, key: bytes, blob: bytes) -> bytes:
        row = await self._writer.close_step(StepResult(turn=self._started.identity, key=key, result=blob))
        stored = row.result or blob
        self.last_ms = max(self.last_ms, _STAMP.unpack_from(stored)[1])
        return stored

    def _replay(self, spec: StepSpec[T], blob: bytes) -> T:
        tag, stamp = _STAMP.unpack_from(blob)
        self.last_ms = max(self.last_ms, stamp)
        payload = blob[_STAMP.size :]
        if tag == FAILURE:
            failure = json.loads(payload)
            raise StepFailedError(failure["message"], failure["type"])
        return spec.decode(payload)


class _Failed:
    """A call that raised; told apart from any value a call may return."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


async def _outcome(call: Callable[[str], Awaitable[T]], key: bytes) -> T | _Failed:
    """Make a call in a task of its own and return what came of it; a cancellation goes through to the call."""
    task = asyncio.ensure_future(_marked(call, key))
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
    if task.cancelled():
        raise asyncio.CancelledError
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, Exception):
        return _Failed(error)
    raise error


async def _marked(call: Callable[[str], Awaitable[T]], key: bytes) -> T:
    _inside_step.set(_Scope(key))
    return await call(key.hex())


def _key(spec: StepSpec[Any], scope: _Scope) -> bytes:
    base = blake2b(digest_size=16)
    for part in (spec.kind.encode(), spec.name.encode("utf-8", "surrogatepass"), spec.input):
        base.update(b"%d:" % len(part))
        base.update(part)
    occurrence = scope.occurrences[base.digest()] = scope.occurrences.get(base.digest(), 0) + 1
    return blake2b(base.digest() + b"%d" % occurrence + scope.key, digest_size=16).digest()
