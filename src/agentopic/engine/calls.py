"""Calls: making an outside call in a task of its own, metered by the guards, and telling how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from agentopic.core._turn import StepSpec
from agentopic.engine.attempt import OpenWait
from agentopic.engine.step_guards import StepGuard, StepOutcome
from agentopic.engine.step_keys import Scope, inside_step
from agentopic.engine.waits import Wait
from agentopic.errors import AgentopicError
from agentopic.ports.journal import Spend

if TYPE_CHECKING:
    from agentopic.engine.turn import Turn

T = TypeVar("T")


class Failed:
    """A call that raised; told apart from any value a call may return."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Value(Generic[T]):
    """What a wait's own call returned; told apart from what came from the journal."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


class Admission:
    """The guards around one call: each that let it pass is told, once, how it ended."""

    __slots__ = ("_guards", "_passed", "_spec", "_turn")

    def __init__(self, turn: Turn, spec: StepSpec[Any], guards: Sequence[StepGuard]) -> None:
        self._turn, self._spec, self._guards = turn, spec, guards
        self._passed: list[StepGuard] = []

    async def enter(self) -> Failed | None:
        """Return None when the call may be made, else why not."""
        try:
            for guard in self._guards:
                await guard.before(self._turn, self._spec)
                self._passed.append(guard)
        except AgentopicError as exc:
            return Failed(exc)
        return None

    def leave(self, outcome: Any, seconds: float = 0.0) -> list[Spend]:
        """Tell how the call ended and return what it has cost; nothing when that has been told already."""
        passed, self._passed = self._passed, []
        if not passed:
            return []
        if isinstance(outcome, Failed):
            told = StepOutcome(error=outcome.error, seconds=seconds)
        else:
            told = StepOutcome(value=outcome, seconds=seconds)
        return [entry for guard in passed for entry in guard.after(self._turn, self._spec, told)]


async def make(call: Callable[[str], Awaitable[T]], scope: Scope) -> T | Failed:
    """Make a call in a task of its own and return what came of it; a cancellation goes through to the call."""
    task = asyncio.ensure_future(_marked(call, scope))
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
    return _result(task)


async def _marked(call: Callable[[str], Awaitable[T]], scope: Scope) -> T:
    inside_step.set(scope)
    return await call(scope.key.hex())


async def first_of(opened: OpenWait, call: Callable[[Wait], Awaitable[T]], wait: Wait) -> bytes | Value[T] | Failed:
    """Return what came first: something from outside, stored already, or the result of the call.

    A result that came in the moment the turn was unwound is returned too: nobody else will hear it.
    """
    task = asyncio.ensure_future(call(wait))
    try:
        await asyncio.wait({task, opened.outcome}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    has_result = not task.cancelled() and task.exception() is None
    if opened.outcome.done() and not (has_result and opened.outcome.exception() is not None):
        return opened.outcome.result()  # what is stored rules
    result = _result(task)
    return result if isinstance(result, Failed) else Value(result)


def _result(task: asyncio.Future[T]) -> T | Failed:
    if task.cancelled():
        raise asyncio.CancelledError
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, Exception):
        return Failed(error)
    raise error
