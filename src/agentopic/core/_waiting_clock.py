"""The time limit of the running call, which stands still while the call waits for a person or a timer."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar


class _Clock:
    """One limit, and how many waits hold it."""

    def __init__(self, limit: asyncio.Timeout) -> None:
        self._limit = limit
        self._holds = 0
        self._left = 0.0

    def hold(self) -> None:
        due = self._limit.when()
        if self._holds == 0 and due is not None:
            self._left = due - asyncio.get_running_loop().time()
            self._limit.reschedule(None)
        self._holds += 1

    def go_on(self) -> None:
        self._holds -= 1
        if self._holds == 0 and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + self._left)


_running: ContextVar[_Clock | None] = ContextVar("agentopic_running_clock", default=None)


@contextmanager
def running_clock(limit: asyncio.Timeout) -> Generator[None]:
    """Make a limit, which has been entered, the one that waits of the enclosed block hold."""
    token = _running.set(_Clock(limit))
    try:
        yield
    finally:
        _running.reset(token)


@contextmanager
def held_clock() -> Generator[None]:
    """Have the limit of the running call, if it has one, stand still for the enclosed wait."""
    clock = _running.get()
    if clock is None:
        yield
        return
    clock.hold()
    try:
        yield
    finally:
        clock.go_on()
