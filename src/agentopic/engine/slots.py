"""Slots: how many turns of one agent type run at once; a turn that waits gives its slot back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Slots:
    """Counts running turns. Turns that go on after a wait come before new lanes, first come, first served."""

    def __init__(self, limit: int, *, freed: Callable[[], None]) -> None:
        self._limit = limit
        self._freed = freed
        self._resuming: deque[asyncio.Future[None]] = deque()
        self.used = 0
        """How many are in use: more than the limit only after a reconnection, when lanes turn out to be held here."""

    @property
    def free(self) -> int:
        """How many new lanes may run."""
        return max(0, self._limit - self.used - len(self._resuming))

    def take(self) -> None:
        """Count a lane that the journal has given to this process."""
        self.used += 1

    def retake_now(self) -> bool:
        """Take a slot for a turn that goes on if there is one and no other turn is before it."""
        if self.used >= self._limit or self._resuming:
            return False
        self.used += 1
        return True

    async def retake(self) -> None:
        """Take a slot for a turn that goes on, as soon as there is one."""
        if self.retake_now():
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._resuming.append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.give_back()
            elif granted in self._resuming:
                self._resuming.remove(granted)
            raise

    def give_back(self) -> None:
        """Free a slot, for the turn that has waited longest to go on, or for a new lane."""
        self.used -= 1
        while self._resuming and self.used < self._limit:
            granted = self._resuming.popleft()
            if not granted.done():
                self.used += 1
                granted.set_result(None)
        if self.free:
            self._freed()


class Slot:
    """One lane's hold on a slot, and on the gate when its turn is a crash suspect."""

    __slots__ = ("_gate", "_slots", "held")

    def __init__(self, slots: Slots) -> None:
        """Start with the slot that was counted when the lane was taken."""
        self._slots = slots
        self._gate: asyncio.Lock | None = None
        self.held = True

    def give_back(self) -> None:
        """Free the slot, and the gate with it; nothing when it is not held."""
        if not self.held:
            return
        self.held = False
        if self._gate is not None:
            self._gate.release()
        self._slots.give_back()

    def retake_now(self) -> bool:
        """Hold the slot again if that takes no waiting; whether it is held."""
        if not self.held and self._gate is None:
            self.held = self._slots.retake_now()
        return self.held

    async def retake(self) -> None:
        """Hold the slot again, and the gate."""
        if self.retake_now():
            return
        if self._gate is not None:
            await self._gate.acquire()
        try:
            await self._slots.retake()
        except asyncio.CancelledError:
            if self._gate is not None:
                self._gate.release()
            raise
        self.held = True

    async def enter(self, gate: asyncio.Lock) -> None:
        """Go through the gate: from now on, until `leave`, at most one such turn runs at a time."""
        await gate.acquire()
        self._gate = gate

    def leave(self) -> None:
        """Let the next suspect through."""
        gate, self._gate = self._gate, None
        if gate is not None and self.held:
            gate.release()
