"""The time limit of the running call, which stands still while the call waits for a person or a timer."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar


class _Clock:
    """One limit, and how many waits hold it; it holds that of the call around it along."""

    def __init__(self, limit: asyncio.Timeout, outer: _Clock | None) -> None:
        self._limit, self._outer = limit, outer
        self._holds = 0
        self._left = 0.0
        self._is_over = False

    def hold(self) -> None:
        self._holds += 1
        if self._holds > 1 or self._is_over:
            return
        due = self._limit.when()
        if due is not None and not self._limit.expired():
            self._left = due - asyncio.get_running_loop().time()
            self._limit.reschedule(None)
        if self._outer is not None:
            self._outer.hold()

    def go_on(self) -> None:
        self._holds -= 1
        if self._holds or self._is_over:
            return
        if not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + self._left)
        if self._outer is not None:
            self._outer.go_on()

    def end(self) -> None:
        """Note that the call has ended: what it has left running holds nothing any more."""
        if self._holds and self._outer is not None:
            self._outer.go_on()
        self._is_over = True


_running: ContextVar[_Clock | None] = ContextVar("agentopic_running_clock", default=None)


@contextmanager
def running_clock(limit: asyncio.Timeout) -> Generator[None]:
    """Make a limit, which has been entered, the one that waits of the enclosed block hold."""
    clock = _Clock(limit, _running.get())
    token = _running.set(clock)
    try:
        yield
    finally:
        clock.end()
        _running.reset(token)


@contextmanager
def held_clock() -> Generator[None]:
    """Have the limit of the running call, and of those it is part of, stand still for the enclosed wait."""
    clock = _running.get()
    if clock is None:
        yield
        return
    clock.hold()
    try:
        yield
    finally:
        clock.go_on()
