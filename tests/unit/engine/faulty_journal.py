"""A journal whose calls break on demand, before or after they took effect."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, cast

from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.errors import JournalUnavailableError
from agentopic.ports.journal import Heart, Journal

When = Literal["before", "after"]

CALLS = frozenset(
    {"join", "peers", "bury", "leave", "lease", "intake", "take", "commit"}
    | {"held", "backlog", "open_steps", "close_steps", "recorded", "load", "sweep"}
    | {"refuse", "control", "mail", "cancelled_runs", "questions", "mentioned"}
    | {"open_request", "close_request", "spend", "spent"}
)


class FaultyJournal:
    """A memory journal; `break_next` makes calls raise, `outage` makes all of them raise while it is set."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.outage = False
        self.beats = True
        self.calls: list[str] = []
        self.held_back = asyncio.Event()
        self.held_back.set()
        self._inner = MemoryJournal(self.store)
        self._faults: defaultdict[str, deque[tuple[When, Exception]]] = defaultdict(deque)

    def break_next(self, call: str, when: When, error: Exception | None = None) -> None:
        """Have the next call of this name raise, without effect or after it."""
        assert call in CALLS
        self._faults[call].append((when, error or JournalUnavailableError(f"{call} broke {when} its effect")))

    def broken(self, call: str) -> bool:
        """Whether every fault of this call has happened."""
        return not self._faults[call]

    async def start(self) -> None: ...

    async def aclose(self) -> None: ...

    def heart(self, me: int) -> AbstractAsyncContextManager[Heart]:
        return self._inner.heart(me)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name not in CALLS:
            raise AttributeError(name)
        inner = cast("Callable[..., Awaitable[Any]]", getattr(self._inner, name))

        async def call(*args: Any) -> Any:
            self.calls.append(name)
            await self.held_back.wait()
            await asyncio.sleep(0)  # a real journal is somewhere else
            if self.outage:
                raise JournalUnavailableError("the journal is away")
            when, error = self._faults[name].popleft() if self._faults[name] else (None, None)
            if when == "before" and error is not None:
                raise error
            result = await inner(*args)
            if error is not None:
                raise error
            return result

        return call


def as_journal(journal: Any) -> Journal:
    """Return the same object as the port it stands in for; its calls are made by name."""
    return cast("Journal", journal)
