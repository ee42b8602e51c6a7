"""`OpenGenerators`: the async generators of simulated processes, so that none is closed where it does not belong."""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, Callable
from contextvars import Context
from typing import Any, TypeAlias

Generator: TypeAlias = AsyncGenerator[Any, None]

_FEW = 1024


class OpenGenerators:
    """Knows in which context each generator was begun: only there can what it holds be undone."""

    def __init__(self) -> None:
        self._begun: dict[int, tuple[weakref.ref[Generator], Context]] = {}
        self._left: list[tuple[Generator, Context]] = []
        self._worth_looking = _FEW

    def begun(self, generator: Generator, context: Context) -> None:
        """Note a generator at its first step."""
        # By id, as its weak references are dead already when its end is announced.
        self._begun[id(generator)] = (weakref.ref(generator), context)
        if len(self._begun) > self._worth_looking:
            self._begun = {at: each for at, each in self._begun.items() if each[0]() is not None}
            self._worth_looking = max(_FEW, 2 * len(self._begun))

    def context_of(self, generator: Generator) -> Context | None:
        """Where it was begun; None for one that was never noted."""
        found = self._begun.get(id(generator))
        return None if found is None else found[1]

    def leave(self, generator: Generator, context: Context) -> None:
        """Keep one that nobody holds any more until all are closed."""
        self._begun.pop(id(generator), None)
        self._left.append((generator, context))

    def close(self, end: Callable[[Generator, Context], None]) -> None:
        """Have all that are open ended, also those that this brings to light."""
        while self._left or self._begun:
            held = [(ref(), context) for ref, context in self._begun.values()]
            alive = [(each, context) for each, context in held if each is not None]
            left, self._left, self._begun = self._left, [], {}
            for generator, context in (*alive, *left):
                end(generator, context)
