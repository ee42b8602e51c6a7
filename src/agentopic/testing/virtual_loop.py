"""An event loop in virtual time whose callbacks belong to simulated processes, interleaved by a seed."""

from __future__ import annotations

import asyncio
import heapq
import sys
from asyncio import events
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any, TypeVar

from agentopic.testing.open_generators import OpenGenerators

T = TypeVar("T")

WORLD = ""
"""The owner of what belongs to no process: the test itself."""
owner_of: ContextVar[str] = ContextVar("agentopic_simulated_process", default=WORLD)


_TRIES = 20
"""How often what is left of a dropped process may refuse to end, with one more thing it waits for."""


class _Gone(BaseException):
    """Unwinds what a dropped process left suspended, long after anything could come of it."""


class StuckError(RuntimeError):
    """Nothing can ever happen again, or it takes longer than the simulation is willing to wait."""


class Call(asyncio.TimerHandle):
    """A callback that waits for its turn; stands in for asyncio's handles."""

    __slots__ = ("at", "context", "done", "owner", "work")

    def __init__(self, at: float, callback: Callable[..., object], args: Sequence[Any], context: Context) -> None:
        self.at = at
        self.work: tuple[Callable[..., object], Sequence[Any]] | None = (callback, args)
        self.context = context
        self.owner = context.get(owner_of, WORLD)
        self.done = False

    def cancel(self) -> None:
        """Never run it."""
        self.work = None

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.work is None and not self.done

    def when(self) -> float:
        """Return the virtual time at which it is due."""
        return self.at


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs simulated processes: time jumps to the next timer as soon as nobody has anything to do.

    Callbacks of one process run in the order in which they became ready, as on any loop; which process is next is
    drawn from `choice`. A process may be frozen (its callbacks wait) or dropped (they never run: nothing of it is
    unwound, as after SIGKILL). Sockets and signals do not exist here.
    """

    def __init__(self, choice: Random) -> None:
        self._choice = choice
        self._now = 0.0
        self._order = 0
        self._ready: dict[str, deque[Call]] = {}
        self._able: list[str] = []
        """Owners with something ready that are not frozen."""
        self._timers: list[tuple[float, int, Call]] = []
        self._frozen: set[str] = set()
        self._gone: set[str] = set()
        self._tasks: list[tuple[asyncio.Task[Any], Context]] = []
        self._generators = OpenGenerators()
        self._context = Context()
        """In which the callback that runs was scheduled."""
        self._running = False
        self.steps = 0
        """Callbacks run so far."""
        self.after_step: Callable[[int], None] | None = None
        """Called with that number after each; where faults are injected."""
        self.errors: list[str] = []
        """What no task or callback handled."""

    # ── processes ──────────────────────────────────────────────────────────────────────────────────────────

    def freeze(self, owner: str) -> None:
        """Stop a process where it stands; its timers become due meanwhile."""
        self._frozen.add(owner)
        if owner in self._able:
            self._able.remove(owner)

    def thaw(self, owner: str) -> None:
        """Let a frozen process go on."""
        if owner in self._frozen:
            self._frozen.discard(owner)
            if owner in self._ready:
                self._able.append(owner)

    def drop(self, owner: str) -> None:
        """End a process between two callbacks, for ever."""
        self._gone.add(owner)
        self._ready.pop(owner, None)
        if owner in self._able:
            self._able.remove(owner)

    def dispose(self) -> None:
        """Close what dropped processes left suspended, so that nothing of it is heard of later."""
        for task, context in self._tasks:
            if not task.done():
                _unwind(_coroutine(task), context)
        self._generators.close(_end)
        self._tasks.clear()
        self._ready.clear()
        self._able.clear()
        self._timers.clear()

    # ── running ────────────────────────────────────────────────────────────────────────────────────────────

    def run_within(self, main: Coroutine[Any, Any, T], *, seconds: float) -> T:
        """Run a coroutine to its end.

        Raises:
            StuckError: nothing is left to happen, or the virtual time is over.
        """
        before = events._get_running_loop()  # pyright: ignore[reportPrivateUsage]
        hooks = sys.get_asyncgen_hooks()
        events._set_running_loop(self)  # pyright: ignore[reportPrivateUsage]
        sys.set_asyncgen_hooks(firstiter=self._begin_generator, finalizer=self._leave_generator)
        self._running = True
        try:
            task = self.create_task(main)
            self._run_until(task, seconds)
            return task.result()
        finally:
            self._running = False
            sys.set_asyncgen_hooks(*hooks)
            events._set_running_loop(before)  # pyright: ignore[reportPrivateUsage]

    def _begin_generator(self, generator: AsyncGenerator[Any, None]) -> None:
        self._generators.begun(generator, self._context)

    def _leave_generator(self, generator: AsyncGenerator[Any, None]) -> None:
        """Close a generator nobody holds any more, as any loop does; one of a dropped process when all is over."""
        context = self._generators.context_of(generator)
        if context is None:
            return
        if self._running and context.get(owner_of, WORLD) not in self._gone:
            self.create_task(generator.aclose())
        else:
            self._generators.leave(generator, context)

    def _run_until(self, task: asyncio.Task[Any], limit: float) -> None:
        able, ready, draw = self._able, self._ready, self._choice.random
        while not task.done():
            if not able:
                self._advance(limit)
                continue
            index = 0 if len(able) == 1 else int(draw() * len(able))
            owner = able[index]
            calls = ready[owner]
            call = calls.popleft()
            if not calls:
                del ready[owner]
                able[index] = able[-1]
                able.pop()
            work = call.work
            if work is not None:
                call.work, call.done = None, True
                self.steps += 1
                self._context = call.context
                call.context.run(work[0], *work[1])
                if self.after_step is not None:
                    self.after_step(self.steps)

    def _advance(self, limit: float) -> None:
        while self._timers:
            at, _, call = heapq.heappop(self._timers)
            if call.work is None or call.owner in self._gone:
                continue
            if at > limit:
                raise StuckError(f"not finished after {limit:g} virtual seconds")
            self._now = max(self._now, at)
            self._enqueue(call)
            if self._able:
                return
        raise StuckError(f"nothing is left to happen at {self._now:g} virtual seconds")

    def _enqueue(self, call: Call) -> None:
        owner = call.owner
        calls = self._ready.get(owner)
        if calls is not None:
            calls.append(call)
        elif owner not in self._gone:
            self._ready[owner] = deque((call,))
            if owner not in self._frozen:
                self._able.append(owner)

    # ── what asyncio asks of a loop ────────────────────────────────────────────────────────────────────────

    def time(self) -> float:
        """Return virtual seconds since the beginning."""
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Call:
        """Run a callback after those of its process that are ready already."""
        call = Call(self._now, callback, args, copy_context() if context is None else context)
        self._enqueue(call)
        return call

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Call:
        """Do as `call_soon`: there are no threads."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        """Run a callback that many virtual seconds from now."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Call:
        """Run a callback at a virtual time."""
        call = Call(when, callback, args, copy_context() if context is None else context)
        self._order += 1
        heapq.heappush(self._timers, (when, self._order, call))
        return call

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Run a coroutine as part of the process that asks."""
        if context is not None and owner_of not in context:
            context.run(owner_of.set, owner_of.get())
        own = copy_context() if context is None else context
        task: asyncio.Task[T] = asyncio.Task(coro, loop=self, name=name, context=own)  # pyright: ignore[reportArgumentType]
        self._tasks.append((task, own))
        return task

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Run a blocking function at once, in a thread; the world stands still meanwhile, and no time passes."""
        with ThreadPoolExecutor(1) as own:
            running = (executor or own).submit(func, *args)
            wait([running])
        return asyncio.wrap_future(running, loop=self)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Note what nobody handled."""
        if "destroyed" not in str(context.get("message")):
            self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        """Return False."""
        return False

    def is_running(self) -> bool:
        """Whether `run_within` is under way."""
        return self._running

    def is_closed(self) -> bool:
        """Return False: there is nothing to close."""
        return False


def _unwind(coroutine: Any, context: Context) -> None:
    # Thrown, not closed: closing does not get through to the async generators that a coroutine waits for. In the
    # task's own context, as what is undone there belongs to it.
    for _ in range(_TRIES):
        try:
            context.run(coroutine.throw, _Gone())
        except BaseException:  # noqa: BLE001 - whatever it ends with, it has ended
            return


def _end(generator: AsyncGenerator[Any, None], context: Context) -> None:
    ending: Any = generator.athrow(_Gone())
    try:
        context.run(ending.send, None)
    except BaseException:  # noqa: BLE001 - whatever it ends with, it has ended
        return
    _unwind(ending, context)


def _coroutine(task: asyncio.Task[Any]) -> Any:
    return task.get_coro()
