"""The marked points at which a process can die, and ports that lead past them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, cast, get_args

from agentopic.ports.journal import Journal
from agentopic.ports.transport import Transport

FaultPoint = Literal[
    "before intake",
    "after intake",
    "after take",
    "before intent",
    "after intent",
    "after call",
    "before result",
    "after result",
    "before commit",
    "after commit",
    "before send",
    "after send",
    "before mark",
    "after mark",
]
"""Intake: a batch is stored. Take: lanes are taken. Intent, call, result: a step. Commit: a turn is finished. Send: its
outputs are published; mark: the journal is told so."""

POINTS: tuple[FaultPoint, ...] = get_args(FaultPoint)


class FaultPoints:
    """Strikes at one point, the `nth` time a process comes by.

    `strike` ends the process, or never returns. Wrap the process's ports with `journal` and `transport`; the code
    that makes an outside call says `await points.reach("after call")` before it returns.
    """

    def __init__(self, at: FaultPoint, strike: Callable[[], Awaitable[None]], *, nth: int = 1) -> None:
        self.at, self.nth = at, nth
        self.passed = 0
        self._strike = strike

    async def reach(self, point: str) -> None:
        """Come by a point."""
        if point != self.at:
            return
        self.passed += 1
        if self.passed == self.nth:
            await self._strike()

    def journal(self, inner: Journal) -> Journal:
        """Return the journal with points around its calls."""
        return cast("Journal", _MarkedJournal(inner, self))

    def transport(self, inner: Transport) -> Transport:
        """Return the transport with points around its sends."""
        return cast("Transport", _MarkedTransport(inner, self))


class _Marked:
    def __init__(self, inner: Any, points: FaultPoints) -> None:
        self._inner, self._points = inner, points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def _around(self, names: Sequence[str], call: Callable[[], Awaitable[Any]]) -> Any:
        for name in names:
            await self._points.reach(f"before {name}")
        result = await call()
        for name in names:
            await self._points.reach(f"after {name}")
        return result


class _MarkedJournal(_Marked):
    async def intake(self, me: int, batch: Any) -> Any:
        names = ["intake"] if batch.deliveries else []
        taken = await self._around(names, lambda: self._inner.intake(me, batch))
        if taken.started:
            await self._points.reach("after take")
        return taken

    async def take(self, me: int, slots: Any) -> Any:
        started = await self._inner.take(me, slots)
        if started:
            await self._points.reach("after take")
        return started

    async def open_steps(self, me: int, intents: Any) -> Any:
        return await self._around(["intent"], lambda: self._inner.open_steps(me, intents))

    async def close_steps(self, me: int, results: Any) -> Any:
        return await self._around(["result"], lambda: self._inner.close_steps(me, results))

    async def commit(self, me: int, turns: Any, sent: Any) -> Any:
        names = [name for name, rows in (("commit", turns), ("mark", sent)) if rows]
        return await self._around(names, lambda: self._inner.commit(me, turns, sent))


class _MarkedTransport(_Marked):
    async def send(self, records: Any) -> Any:
        return await self._around(["send"], lambda: self._inner.send(records))
