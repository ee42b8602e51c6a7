"""Suspension: whether a turn works or waits, and with it whether it holds a slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

from agentopic.engine.slots import Slot
from agentopic.engine.step_keys import Scope

SETTLE_SECONDS = 0.1
"""How long code between two steps is taken to be working while another branch of its turn waits."""
PATIENCE_SECONDS = 1.0
"""How long a call may be held up before its turn counts as waiting."""


class Suspension:
    """Counts what a turn has open.

    The slot is given back while something waits and nothing works; it is taken again, ahead of new lanes, before
    anything returns to the handler or works.
    """

    __slots__ = ("_changed", "_closed", "_pinned", "_resting", "_retaking", "_running", "_slot", "_waiting")

    def __init__(self, slot: Slot, *, changed: Callable[[bool], None]) -> None:
        """Tell `changed` True when the slot was given back and False when it is held again."""
        self._slot, self._changed = slot, changed
        self._running = self._waiting = self._resting = self._pinned = 0
        self._retaking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def can_be_unwound(self) -> bool:
        """Whether only waits are open that a later attempt can go on with."""
        return self._waiting > 0 and not (self._running or self._pinned or self._slot.held)

    @property
    def is_working(self) -> bool:
        """Whether a call of the turn is being made."""
        return self._running > 0

    async def begin(self) -> None:
        """Begin to work."""
        self._running += 1
        try:
            await self.resume()
        except BaseException:
            self._running -= 1
            raise

    def end(self) -> None:
        """End to work; what the handler does next decides whether the slot is needed."""
        self._running -= 1
        if self._waiting or self._resting:
            asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle)

    def wait(self, outer: Scope | None) -> None:
        """Begin to wait; inside a step (`outer`), which then does not work either."""
        self._waiting += 1
        if outer is not None:
            outer.waiting += 1
            if outer.waiting == 1:
                self._running -= 1
                self._pinned += not outer.repeatable
        self._settle()

    def waited(self, outer: Scope | None) -> None:
        """End to wait."""
        self._waiting -= 1
        if outer is not None:
            outer.waiting -= 1
            if outer.waiting == 0:
                self._running += 1
                self._pinned -= not outer.repeatable
        if self._waiting:
            asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle)

    @asynccontextmanager
    async def resting(self, patience: float = 0.0, *, pinned: bool = True) -> AsyncGenerator[None]:
        """Wait for something that is no step of its own; after `patience` seconds without a slot.

        `pinned`: only this attempt can wait for it, so that the turn is not unwound meanwhile.
        """
        loop = asyncio.get_running_loop()
        begun = False

        def begin() -> None:
            nonlocal begun
            begun = True
            self._resting += 1
            self._pinned += pinned
            self._settle()

        handle = loop.call_later(patience, begin) if patience else None
        if handle is None:
            begin()
        try:
            yield
        finally:
            if handle is not None:
                handle.cancel()
            if begun:
                self._resting -= 1
                self._pinned -= pinned
        if begun:
            await self.resume()

    @contextmanager
    def pinned(self) -> Generator[None]:
        """Keep the turn from being unwound: what it waits for is not all known."""
        self._pinned += 1
        try:
            yield
        finally:
            self._pinned -= 1

    async def resume(self) -> None:
        """Return once the slot is held.

        Raises:
            CancelledError: the attempt has ended, and with it its claim to a slot.
        """
        while not self._slot.held:
            if self._closed:
                raise asyncio.CancelledError
            if self._retaking is None:
                if self._slot.retake_now():
                    self._changed(False)
                    return
                self._retaking = asyncio.get_running_loop().create_task(self._retake())
            await asyncio.shield(self._retaking)

    async def _retake(self) -> None:
        try:
            await self._slot.retake()
            self._changed(False)
        finally:
            self._retaking = None

    async def close(self) -> None:
        """Ask for no slot any more, and give none back: one that is held stays with the lane, for its next turn."""
        self._closed = True
        retaking = self._retaking
        if retaking is not None:
            retaking.cancel()
            await asyncio.wait({retaking})

    def _settle(self) -> None:
        if self._closed:
            return
        if self._slot.held and not self._running and (self._waiting or self._resting) and self._retaking is None:
            self._slot.give_back()
            self._changed(True)
