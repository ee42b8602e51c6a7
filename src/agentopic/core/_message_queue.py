"""`MessageQueue`: the in-process runtime's first-in-first-out queue, which knows when all work is done."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from agentopic.errors import UndeliverableError

T = TypeVar("T")


class MessageQueue(Generic[T]):
    """Holds messages in order and counts units of work: one per message until `done` is called for it."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._unfinished = 0
        self._closed = False
        self._getters: deque[asyncio.Future[None]] = deque()
        self._idlers: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def put(self, item: T) -> None:
        """Append a message; it is one unit of work.

        Raises:
            UndeliverableError: the queue is closed.
        """
        if self._closed:
            raise UndeliverableError("the runtime is stopping and takes no more messages")
        self._items.append(item)
        self._unfinished += 1
        while self._getters:  # all of them: one that was cancelled meanwhile must not swallow the only wake
            _release(self._getters.popleft())

    def pop(self) -> T:
        """Take the first message; there must be one."""
        return self._items.popleft()

    async def get(self) -> T | None:
        """Wait for the first message and take it; None when the queue is closed and empty."""
        while not self._items:
            if self._closed:
                return None
            getter = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            await getter
        return self._items.popleft()

    def add_work(self, units: int) -> None:
        """Count further units of work, each ended by a `done` of its own."""
        self._unfinished += units

    def done(self) -> None:
        """End one unit of work."""
        self._unfinished -= 1
        if self._unfinished == 0 and self._idlers:
            self._release_idlers()

    async def join(self) -> None:
        """Wait until no work is left, or the queue is closed."""
        while self._unfinished and not self._closed:
            idler = asyncio.get_running_loop().create_future()
            self._idlers.append(idler)
            await idler

    def close(self) -> list[T]:
        """Take no more messages; returns those that were waiting, which are given up."""
        self._closed = True
        waiting = list(self._items)
        self._items.clear()
        while self._getters:
            _release(self._getters.popleft())
        self._release_idlers()
        return waiting

    def _release_idlers(self) -> None:
        idlers, self._idlers = self._idlers, []
        for idler in idlers:
            _release(idler)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
