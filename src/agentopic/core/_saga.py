"""`saga`: deeds in the outside world that are all done, or undone in reverse, whatever dies in between."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar

from agentopic.core._turn import OnUnknown, StepSpec, TurnScope, ask, current_turn, sleep, step, step_path
from agentopic.errors import AgentopicError, SagaNotUndoneError, SagaUndoneError, StepOutcomeUnknownError

T = TypeVar("T")

Stuck = Literal["ask", "fail"]
"""What is done about a deed that cannot be undone: ask a person, or name it in the error and go on."""


class Backoff(Protocol):
    """How often and after which pauses an undoing is tried again; `agentopic.RetryPolicy` is one."""

    @property
    def max_failures(self) -> int:
        """Failures in a row after which it is stuck."""
        ...

    def ceiling(self, failures: int) -> float:
        """Return the seconds to wait after this many failures (1 or more)."""
        ...


@dataclass(frozen=True, slots=True)
class _Patience:
    max_failures: int = 5

    def ceiling(self, failures: int) -> float:
        return min(60.0, 2.0 ** (failures - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deed:
    """Something that has, or may have, taken effect."""

    name: str
    given: Any
    undo: Callable[[], Awaitable[object]] | None
    """None: nobody knows whether it took effect, and nothing was said about that case."""


class Saga:
    """One saga, inside its `async with` block."""

    def __init__(self, name: str, *, retry: Backoff | None = None, stuck: Stuck = "ask") -> None:
        self.name = name
        self._retry = retry or _Patience()
        self._stuck: Stuck = stuck
        self._turn: TurnScope | None = None
        self._place = ""
        self._deeds: dict[int, _Deed] = {}
        """By the order in which they were begun: later attempts begin them in the same order, parallel ones too."""
        self._begun = Counter[str]()
        self._running: set[asyncio.Future[None]] = set()
        self._failure: str | None = None
        """Why it is undone, once that is decided."""
        self._left: dict[str, str] = {}

    async def do(
        self,
        name: str,
        run: Callable[[], Awaitable[T]],
        *,
        undo: Callable[[T], Awaitable[object]] | None = None,
        undo_unknown: Callable[[], Awaitable[object]] | None = None,
        given: Any = None,
        repeatable: bool = False,
        on_unknown: OnUnknown | None = None,
    ) -> T:
        """Do something outside, once, and return its result, which must be JSON.

        `undo` is given the result and takes the effect back; it may be called more than once. `undo_unknown` is called
        instead when nobody knows whether `run` took effect: its process died meanwhile, it was cut off, or it raised an
        OSError (connections, time-outs), a retryable error or StepOutcomeUnknownError. A `run` that raises anything
        else has had no effect. `given`, `repeatable` and `on_unknown` are those of `step`.

        Raises:
            SagaUndoneError: an earlier attempt has decided that this saga is undone.
            StepOutcomeUnknownError: a process died during the unrepeatable `run`.
        """
        place, given = self._place_of(name, given)
        spec = _spec("saga", name, given, repeatable=repeatable, on_unknown=on_unknown)
        running = asyncio.get_running_loop().create_future()
        self._running.add(running)
        try:
            result = await self._begin(spec, run)
        except (OSError, AgentopicError, asyncio.CancelledError) as exc:
            if _is_unknown(exc):
                self._deeds[place] = _Deed(name=name, given=given, undo=undo_unknown)
            raise
        else:
            if undo is not None:
                self._deeds[place] = _Deed(name=name, given=given, undo=lambda: undo(result))
            return result
        finally:
            self._running.discard(running)
            running.set_result(None)

    def _place_of(self, name: str, given: Any) -> tuple[int, Any]:
        """Return which deed this is, and what tells it from equal ones."""
        same = json.dumps([name, given], sort_keys=True)
        self._begun[same] += 1
        return self._begun.total(), [given, self._begun[same]]

    async def _begin(self, spec: StepSpec[T], run: Callable[[], Awaitable[T]]) -> T:
        turn = self._turn
        if turn is None:
            return await run()
        with step_path(self._place):
            if not turn.is_known(spec):
                if self._failure is not None:
                    raise self._undone()
                if turn.is_cancelled:
                    raise _NotBegun
            return await turn.step(spec, lambda _: run())

    # ── the block ──────────────────────────────────────────────────────────────────────────────────────────

    async def __aenter__(self) -> Self:
        """Begin, or go on where an earlier attempt was."""
        self._turn = turn = current_turn.get()
        if turn is not None:
            self._place = f"saga/{self.name}/{turn.number(f'saga/{self.name}')}"
            turn.hold()
            with step_path(self._place):
                if turn.is_known(_verdict()):
                    self._failure = await turn.step(_verdict(), _decided_before)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: done in full, or undone in full.

        Raises:
            SagaUndoneError: the block failed; all its deeds are undone.
            SagaNotUndoneError: not all of them.
        """
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            return
        while self._running:
            await asyncio.wait(self._running)
        if error is None and self._failure is None:
            return
        await self._decide(error)
        if self._turn is not None:
            self._turn.settle()
        for place in sorted(self._deeds, reverse=True):
            with step_path(self._place):
                await self._undo(self._deeds[place])
        if self._turn is not None:
            self._turn.release()
        elif isinstance(error, asyncio.CancelledError):
            return
        raise self._undone() from error

    async def _decide(self, error: BaseException | None) -> None:
        """Record that it is undone, first of all: a later attempt, in which the block may not fail, goes on with it.

        Raises whatever ends this attempt of the turn, so that nothing is undone for it.
        """
        if self._failure is not None:
            return
        failure = "cancelled" if isinstance(error, asyncio.CancelledError) else f"{type(error).__name__}: {error}"

        async def decide(_: str) -> str:
            return failure

        with step_path(self._place):
            self._failure = failure if self._turn is None else await self._turn.step(_verdict(), decide)

    def _undone(self) -> SagaUndoneError:
        if not self._left:
            return SagaUndoneError(f"saga {self.name!r} was undone: {self._failure}")
        left = "; ".join(f"{name}: {reason}" for name, reason in self._left.items())
        return SagaNotUndoneError(f"saga {self.name!r} failed ({self._failure}) and left undone: {left}", self._left)

    # ── undoing ────────────────────────────────────────────────────────────────────────────────────────────

    async def _undo(self, deed: _Deed) -> None:
        failures = 0
        reason = "whether it took effect is unknown"
        while True:
            if deed.undo is not None:
                tried = _Tried()
                with tried:
                    await step(f"undo {deed.name}", _without_result(deed.undo), given=deed.given, repeatable=True)
                if tried.error is None:
                    return
                failures += 1
                reason = f"{type(tried.error).__name__}: {tried.error}"
                if failures < self._retry.max_failures:
                    await sleep(self._retry.ceiling(failures))
                    continue
            match await self._decision(deed, reason):
                case "done":
                    return
                case "again" if deed.undo is not None:
                    failures = 0
                case _:
                    self._left[deed.name] = reason
                    return

    async def _decision(self, deed: _Deed, reason: str) -> Any:
        if self._turn is None or self._stuck == "fail":
            return "leave"
        return await ask(
            f"Saga {self.name!r} failed ({self._failure}) and cannot undo {deed.name!r} ({reason}). What now?",
            choices=["done", "leave"] if deed.undo is None else ["again", "done", "leave"],
            details={"saga": self.name, "deed": deed.name, "given": deed.given[0]},
        )


class _NotBegun(asyncio.CancelledError):
    """Ends the block of a cancelled saga before a deed, which therefore is none."""


def _is_unknown(error: BaseException) -> bool:
    """Whether a deed that raised this may have taken effect; the engine records no such outcome either."""
    if isinstance(error, SagaUndoneError | _NotBegun):
        return False
    if isinstance(error, AgentopicError):
        return error.retryable or isinstance(error, StepOutcomeUnknownError)
    return True


class _Tried:
    """Keeps the error of its block."""

    error: Exception | None = None

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        """Keep an error; what ends the attempt goes on."""
        if isinstance(error, Exception):
            self.error = error
            return True
        return False


def saga(name: str = "saga", *, retry: Backoff | None = None, stuck: Stuck = "ask") -> Saga:
    """Open a saga, whose deeds are all done or undone, to be used in `async with`.

    `async with saga("trip") as s: flight = await s.do("book flight", book, undo=cancel)`. When the block fails,
    whatever it has done is undone, last deed first; then SagaUndoneError is raised. In a durable turn every deed and
    every undoing is a recorded step: a later attempt, in any process, goes on where the last one was, also in the
    middle of undoing. A cancelled turn is first undone. Once the block has ended well, the turn is no longer
    cancelled. Sagas of one turn that run in parallel need different names.

    An undoing that fails is tried again, with pauses (`retry`; by default four times over 15 s). When that is to no
    avail, `stuck` decides: `ask` keeps the turn waiting for a person, `fail` goes on with the others and raises
    SagaNotUndoneError at the end. Outside of durable turns all this works too, but dies with its process.
    """
    return Saga(name, retry=retry, stuck=stuck)


def _spec(
    kind: Literal["saga", "effect"],
    name: str,
    given: Any = None,
    *,
    repeatable: bool = True,
    on_unknown: OnUnknown | None = None,
) -> StepSpec[Any]:
    return StepSpec(
        kind=kind,
        name=name,
        input=json.dumps(given, sort_keys=True).encode(),
        encode=lambda value: json.dumps(value).encode(),
        decode=json.loads,
        repeatable=repeatable,
        on_unknown=on_unknown,
    )


def _verdict() -> StepSpec[str]:
    return _spec("effect", "verdict")


async def _decided_before(_: str) -> str:
    return "an earlier attempt failed"


def _without_result(undo: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await undo()

    return run
