"""A fake durable turn: records steps in a dictionary that outlives the attempt."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentopic.core._turn import StepSpec, current_turn
from agentopic.errors import StepOutcomeUnknownError

Key = tuple[str, str, str, int]
_inside_step: ContextVar[bool] = ContextVar("inside_step", default=False)


class FakeTurn:
    """One attempt of a turn; attempts of the same turn share `journal` and `opened`."""

    def __init__(self, journal: dict[Key, bytes], opened: set[Key]) -> None:
        self.journal = journal
        self.opened = opened
        self.ran: list[str] = []
        self.replayed: list[str] = []
        self.previews: list[Any] = []
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._numbers: Counter[str] = Counter()
        self.holds = 0
        self._ids = 0

    async def step(self, spec: StepSpec[Any], run: Callable[[str], Awaitable[Any]]) -> Any:
        if _inside_step.get():
            return await run("inside another step")
        fingerprint = (spec.kind, spec.name, hashlib.sha256(spec.input).hexdigest())
        key = (*fingerprint, self._seen[fingerprint])
        self._seen[fingerprint] += 1
        await asyncio.sleep(0)  # the journal is somewhere else
        if key in self.journal:
            self.replayed.append(spec.name)
            return spec.decode(self.journal[key])
        if key in self.opened and not spec.repeatable:
            raise StepOutcomeUnknownError(spec.name)
        self.opened.add(key)
        self.ran.append(spec.name)
        token = _inside_step.set(True)
        try:
            result = await run(f"key-{spec.name}-{key[3]}")
        finally:
            _inside_step.reset(token)
        self.journal[key] = spec.encode(result)
        return result

    @property
    def fencing_token(self) -> int:
        return 1

    @property
    def is_cancelled(self) -> bool:
        return False

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    async def ask(
        self,
        text: str,
        *,
        choices: Sequence[str] | None = None,
        details: Any = None,
        timeout_seconds: float | None = None,
    ) -> Any:
        raise AssertionError(f"nobody is there to answer {text!r}")

    def is_known(self, spec: StepSpec[Any]) -> bool:
        return False

    def number(self, name: str) -> int:
        self._numbers[name] += 1
        return self._numbers[name]

    def hold(self) -> None:
        self.holds += 1

    def settle(self) -> None:
        assert self.holds

    def release(self) -> None:
        self.holds -= 1

    def preview(self, spec: StepSpec[Any], item: Any) -> None:
        self.previews.append(item)

    def now(self) -> datetime:
        self._ids += 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._ids)

    def new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"


class FakeTurns:
    """Attempts of one turn, one after the other."""

    def __init__(self) -> None:
        self.journal: dict[Key, bytes] = {}
        self.opened: set[Key] = set()

    @contextmanager
    def attempt(self) -> Generator[FakeTurn]:
        turn = FakeTurn(self.journal, self.opened)
        token = current_turn.set(turn)
        try:
            yield turn
        finally:
            current_turn.reset(token)


@pytest.fixture
def turns() -> FakeTurns:
    return FakeTurns()
