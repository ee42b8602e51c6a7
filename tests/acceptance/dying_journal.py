"""A journal in front of a real one that ends the life of its process at a chosen boundary."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal

from agentopic.engine.runtime import EngineRuntime
from agentopic.ports.journal import Heart, Journal, OutboxRow, StepIntent, StepResult, StepRow, TurnDone


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Where a process dies: before or after the n-th storing of something by name."""

    when: Literal["before", "after"]
    stores: Literal["intent", "result", "commit"]
    step: str = ""
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.stores} {self.step}{self.nth if self.nth > 1 else ''}".rstrip()


class DyingJournal:
    """Passes calls on until the boundary; from there on no call returns, as in a process that is gone."""

    def __init__(self, inner: Journal, death: Death | None = None) -> None:
        self.inner, self.death = inner, death
        self.dead = asyncio.Event()
        self.turn: bytes | None = None
        self.decided: list[Sequence[OutboxRow]] = []
        """What each finished turn was about to publish."""
        self._names: dict[bytes, str] = {}
        self._stored: Counter[tuple[str, str]] = Counter()

    async def open_steps(self, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
        for intent in intents:
            self.turn = intent.turn
            self._names[intent.key] = "ask" if intent.kind == "model" else intent.name
        names = [self._names[intent.key] for intent in intents]
        return await self._store("intent", names, lambda: self.inner.open_steps(me, intents))

    async def close_steps(self, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
        names = [self._names[result.key] for result in results]
        return await self._store("result", names, lambda: self.inner.close_steps(me, results))

    async def commit(self, me: int, turns: Sequence[Any], sent: Sequence[Any] = ()) -> Any:
        done = [turn for turn in turns if isinstance(turn, TurnDone)]
        # Facts of a run tell what an attempt has cost: not the same on the next one.
        self.decided += [[row for row in turn.outbox if not row.topic.endswith(".runs")] for turn in done]
        return await self._store("commit", [""] * len(done), lambda: self.inner.commit(me, turns, sent))

    def heart(self, me: int) -> AbstractAsyncContextManager[Heart]:
        return self.inner.heart(me)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        inner = getattr(self.inner, name)

        async def call(*args: Any) -> Any:
            if self.dead.is_set() and name != "aclose":
                await _for_ever()
            return await inner(*args)

        return call

    async def _store(self, what: str, names: Sequence[str], call: Callable[[], Awaitable[Any]]) -> Any:
        if self.dead.is_set():
            await _for_ever()
        due = False
        for name in names:
            self._stored[what, name] += 1
            death = self.death
            if death is not None and (death.stores, death.step) == (what, name):
                due = due or self._stored[what, name] == death.nth
        if due and self.death is not None and self.death.when == "before":
            await self._die()
        result = await call()
        if due:
            await self._die()
        return result

    async def _die(self) -> None:
        self.dead.set()
        await _for_ever()


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


async def end_life(runtime: EngineRuntime) -> None:
    """End a process as a kill does: nothing is finished, nothing is given back."""
    host, runtime._life.host = runtime._life.host, None
    assert host is not None
    assert host.incarnation is not None
    await host.incarnation.abandon()
    assert host._task is not None
    host._task.cancel()
    await asyncio.gather(host._task, return_exceptions=True)
    await runtime.mesh.aclose()


async def bury_the_dead(journal: Journal) -> None:
    """Have the journal learn at once what others find out after a lease."""
    me = await journal.join([], "undertaker")
    for peer in await journal.peers(me):
        await journal.bury(me, peer)
    await journal.leave(me)
