"""An attempt as it can be reached from outside: told of results, unwound, cancelled, aborted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol

from agentopic.core import CancellationToken
from agentopic.engine.slots import Slot
from agentopic.engine.step_keys import Scope
from agentopic.engine.suspension import Suspension
from agentopic.engine.waits import TurnUnwound
from agentopic.ports.journal import Started, StepRow, TurnParked

Over = Literal["lost", "unwound", "cancelled", "aborted", "ended"]
"""Why an attempt's handler has nothing more to say: another process holds the lane; it is to be run again later; it
is not wanted any more; this incarnation ends; it has ended."""

CANCEL_SECONDS = 0.5
"""How long a handler may end by itself once its cancellation token is cancelled; then its task is cancelled."""


FRESH_SECONDS = 1.0
"""How long a turn must have waited to be taken to do nothing else."""


class Sleepers(Protocol):
    """Who keeps the turns that hold no slot."""

    def suspended(self, attempt: Attempt) -> None:
        """Note that a turn has given its slot back."""
        ...

    def resumed(self, attempt: Attempt) -> None:
        """Note that it holds one again, or has ended."""
        ...


class OpenWait:
    """A waiting step that is open: what it waits for may be given to it."""

    __slots__ = ("again", "counted", "due_at", "key", "kind", "outcome")

    def __init__(self, key: bytes, kind: str, due_at: float | None, again: float | None = None) -> None:
        self.key, self.kind, self.due_at, self.again = key, kind, due_at, again
        self.outcome: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.counted = False

    def resolve(self, stored: bytes) -> None:
        """Give it what the journal has stored."""
        if not self.outcome.done():
            self.outcome.set_result(stored)

    def unwind(self) -> None:
        """Have it raise `TurnUnwound`."""
        if not self.outcome.done():
            self.outcome.set_exception(TurnUnwound())
            self.outcome.exception()  # seen: nobody may be waiting any more


class Attempt:
    """One execution of a turn, from its start until what it ends with is known."""

    __slots__ = (
        "_arrived",
        "_sleepers",
        "_task",
        "_waits",
        "holds",
        "is_durable",
        "is_unwanted",
        "over",
        "parked",
        "run",
        "settling",
        "since",
        "slot",
        "started",
        "suspension",
        "token",
    )

    def __init__(self, started: Started, slot: Slot, sleepers: Sleepers) -> None:
        self.started, self.slot = started, slot
        self._sleepers = sleepers
        self.suspension = Suspension(slot, changed=self._changed)
        self.token = CancellationToken()
        """The one its handler is given."""
        self.run = ""
        """Id of the run it belongs to."""
        self.over: Over | None = None
        self.parked: TurnParked | None = None
        """What it waits for, once it is unwound."""
        self.is_durable = True
        """Whether the agent can be made again: one whose only home is this process is not unwound for its memory."""
        self.is_unwanted = started.cancelled
        """Whether its cancellation was asked for."""
        self.holds = 0
        """How many parts of the handler have to come to an end whatever happens: only then it is cancelled."""
        self.settling = 0
        """How many of them do so now, and may wait for it."""
        self.since = 0.0
        """When it gave its slot back, by the event loop's clock."""
        self._waits: dict[bytes, OpenWait] = {}
        self._arrived: dict[bytes, bytes] = {}
        self._task: asyncio.Task[object] | None = None
        """The task its handler runs in, while it does."""

    # ── the handler ────────────────────────────────────────────────────────────────────────────────────────

    def enter(self) -> None:
        """Note that the handler runs, in this task."""
        self._task = asyncio.current_task()

    async def leave(self) -> None:
        """Note that the handler has ended; what it has left behind ends with it."""
        if self.is_struck:
            await self.absorb()
        self._task = None
        self.over = self.over or "ended"
        for wait in self._waits.values():
            wait.unwind()
        self._sleepers.resumed(self)
        await self.suspension.close()

    @property
    def is_struck(self) -> bool:
        """Whether the task was cancelled on the handler's account and the handler has not let that show."""
        return self._task is not None and self._task.cancelling() > 0

    async def absorb(self) -> None:
        """End the cancellations that were meant for the handler, whoever asked for them; the lane goes on."""
        task = self._task
        if task is None or not task.cancelling() or self.over == "aborted":
            return
        while task.cancelling():
            task.uncancel()
        try:
            await asyncio.sleep(0)  # one that was asked for and not yet thrown is thrown here
        except asyncio.CancelledError:
            if self.is_over("aborted"):
                raise

    def is_over(self, *reasons: Over) -> bool:
        """Whether it is over for one of these reasons, as of now."""
        return self.over in reasons

    @property
    def may_wait(self) -> bool:
        """Whether there is still a reason to wait for anything."""
        return not (self.holds and self.is_unwanted) or self.settling > 0

    # ── waits ──────────────────────────────────────────────────────────────────────────────────────────────

    def open_wait(
        self, key: bytes, kind: str, due_at: float | None, outer: Scope | None, *, again: float | None = None
    ) -> OpenWait:
        """Begin to wait for a step's result."""
        wait = self._waits[key] = OpenWait(key, kind, due_at, again)
        arrived = self._arrived.get(key)
        if arrived is not None:
            wait.resolve(arrived)
        else:
            wait.counted = True
            self.suspension.wait(outer)
        return wait

    def close_wait(self, wait: OpenWait, outer: Scope | None) -> None:
        """End to wait."""
        del self._waits[wait.key]
        if wait.counted:
            self.suspension.waited(outer)

    def deliver(self, rows: Sequence[StepRow]) -> None:
        """Give the open waits what the journal has stored for them; what comes too early is kept."""
        for row in rows:
            if row.result is None or row.key in self._arrived:
                continue
            wait = self._waits.get(row.key)
            if wait is not None:
                wait.resolve(row.result)
            elif row.kind in {"request", "timer", "human"}:
                self._arrived[row.key] = row.result

    def _changed(self, suspended: bool) -> None:
        if suspended:
            self.since = asyncio.get_running_loop().time()
            self._sleepers.suspended(self)
        else:
            self._sleepers.resumed(self)

    # ── its end, from outside ──────────────────────────────────────────────────────────────────────────────

    def unwind(self, *, hand_over: bool = False) -> bool:
        """Have the turn end at its waits, to be run again when one of them is over; whether it could be.

        With `hand_over` a turn that waits for a reply is ready at once: another process asks on. So is one that has
        only just begun to wait: what else it was about to do, nobody knows.
        """
        if self.over is not None or not self.suspension.can_be_unwound:
            return False
        self.over = "unwound"
        started, waits = self.started, list(self._waits.values())
        is_fresh = asyncio.get_running_loop().time() - self.since < FRESH_SECONDS
        at_once = hand_over and (is_fresh or any(wait.kind == "request" for wait in waits))
        self.parked = TurnParked(
            lane=started.lane,
            token=started.token,
            pos=started.pos or 0,
            turn=started.identity,
            awaits=tuple(wait.key for wait in waits),
            delay_seconds=0.0 if at_once else _earliest(waits),
        )
        for wait in waits:
            wait.unwind()
        # A handler that goes on all the same is cut off.
        self._strike_later("unwound")
        return True

    def cancel(self) -> None:
        """Have the handler know that nobody wants its work any more, and cut it off if it goes on."""
        if self.over is not None or (self.holds and self.is_unwanted):
            return
        self.is_unwanted = True
        # By the loop: what a callback of the handler's raises is its own affair, and not of whoever cancels.
        asyncio.get_running_loop().call_soon(self.token.cancel)
        if self.holds:
            if self.suspension.can_be_unwound and not self.settling and self._task is not None:
                self._task.cancel()  # what it waits for is of no use any more
            return
        self.over = "cancelled"
        # One that only waits has nothing to bring to an end.
        self._strike_later("cancelled", 0.0 if self.suspension.can_be_unwound else CANCEL_SECONDS)

    def release(self) -> None:
        """Take one hold back; with the last one a cancellation that was asked for meanwhile has its effect."""
        self.holds -= 1
        self.settling = max(0, self.settling - 1)
        if not self.holds and self.is_unwanted and self.over is None:
            self.over = "cancelled"
            self._strike_later("cancelled")

    def _strike_later(self, over: Over, seconds: float = CANCEL_SECONDS) -> None:
        def strike() -> None:
            if self._task is not None and self.over == over:
                self._task.cancel()
                self._strike_later(over)

        asyncio.get_running_loop().call_later(seconds, strike)


def _earliest(waits: Sequence[OpenWait]) -> float | None:
    now = asyncio.get_running_loop().time()
    due = [wait.due_at for wait in waits if wait.due_at is not None]
    due += [now + wait.again for wait in waits if wait.again is not None]
    return max(0.0, min(due) - now) if due else None
