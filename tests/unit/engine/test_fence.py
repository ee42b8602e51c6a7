"""The fence before outside calls: a fresh beat lets them through, else each of them asks the journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agentopic.engine.liveness import Fence
from agentopic.errors import JournalUnavailableError, ProcessBuriedError


class Gate:
    """A fence with a heart and a journal that answer as told."""

    def __init__(self, *, fresh: bool, answers: list[Exception | None]) -> None:
        self.asked = 0
        self._answers = answers
        heart = SimpleNamespace(is_fresh=lambda: fresh)
        writer = SimpleNamespace(me=1, journal=SimpleNamespace(peers=self._peers), call=self._call)
        self.fence = cast("Any", Fence)(heart, writer)

    async def _call(self, call: Callable[[], Awaitable[None]]) -> None:
        await call()

    async def _peers(self, _: int) -> None:
        self.asked += 1
        answer = self._answers.pop(0)
        if answer is not None:
            raise answer


async def test_a_fresh_beat_asks_nobody() -> None:
    gate = Gate(fresh=True, answers=[])

    await gate.fence.pass_through()

    assert gate.asked == 0


async def test_without_a_fresh_beat_every_call_asks() -> None:
    gate = Gate(fresh=False, answers=[None, None])

    await gate.fence.pass_through()
    await gate.fence.pass_through()

    assert gate.asked == 2


async def test_it_stays_closed_until_the_journal_answers() -> None:
    gate = Gate(fresh=False, answers=[JournalUnavailableError("away"), None])

    await gate.fence.pass_through()

    assert gate.asked == 2


async def test_who_is_dead_does_not_pass() -> None:
    gate = Gate(fresh=False, answers=[ProcessBuriedError("dead")])

    with pytest.raises(ProcessBuriedError):
        await gate.fence.pass_through()
