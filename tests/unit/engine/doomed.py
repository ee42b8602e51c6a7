"""A process that dies at a chosen point: its ports never return again, its tasks are cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.adapters.transport.memory import MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.errors import TransportError
from agentopic.ports.transport import OutgoingRecord, Sent

from .faulty_journal import CALLS

_belongs: ContextVar[Doom | None] = ContextVar("belongs", default=None)


class Doom:
    """Counts the points a process passes, once armed, and ends it at the chosen one."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0
        self.armed = False
        self.died = asyncio.Event()
        self.tasks: set[asyncio.Task[Any]] = set()

    async def point(self) -> None:
        """Pass a point, or never return from it."""
        if self.armed:
            self.passed += 1
            if self.passed >= self.at:
                self.died.set()
        if self.died.is_set():
            await asyncio.Event().wait()
        await asyncio.sleep(0)

    async def around(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make a call with a point before and one after it."""
        await self.point()
        result = await call()
        await self.point()
        return result

    @contextmanager
    def owning(self) -> Generator[None]:
        """What is begun inside belongs to this process."""
        token = _belongs.set(self)
        try:
            yield
        finally:
            _belongs.reset(token)

    async def cut_off(self) -> None:
        """End every task of the process, as its end would."""
        while tasks := {task for task in self.tasks if not task.done()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1)


def note_owner(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any] | Generator[Any, None, Any], **given: Any
) -> asyncio.Task[Any]:
    """Make a task and note which process it belongs to; a task factory."""
    task = asyncio.Task(work, loop=loop, **given)
    owner = _belongs.get()
    if owner is not None:
        owner.tasks.add(task)
    return task


class DoomedJournal:
    """A memory journal with a point before and after each call."""

    def __init__(self, store: MemoryStore, doom: Doom) -> None:
        self._inner, self._doom = MemoryJournal(store), doom
        self.heart = self._inner.heart

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name not in CALLS:
            raise AttributeError(name)
        inner = getattr(self._inner, name)

        async def call(*args: Any) -> Any:
            return await self._doom.around(lambda: inner(*args))

        return call


class DoomedTransport(MemoryTransport):
    """A memory transport with a point before and after each send."""

    def __init__(self, log: MemoryLog, doom: Doom) -> None:
        super().__init__(log)
        self._doom = doom

    async def send(self, records: Sequence[OutgoingRecord]) -> Sequence[Sent | TransportError]:
        send = super().send
        return await self._doom.around(lambda: send(records))
