"""Watching a run from outside: the files of publisher, subscriber and model, and the moment to kill."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from agentopic.demo.children import Child
from agentopic.demo.display import Display, Stand
from agentopic.demo.folder import RunFolder
from agentopic.demo.money import Kill, is_quiet, open_calls
from agentopic.testing.scripted_model import Call, read_calls

_POLL_SECONDS: Final = 0.02
_SHOW_SECONDS: Final = 0.2
# A task has two or three parts: once there is a finding per task, a moment that is not ideal has to do.
_EARLIEST_SHARE: Final = 0.25

PUBLISHED: Final = "published.jsonl"
CALLS: Final = "calls.jsonl"


class Watch:
    """Reads what those outside write down."""

    def __init__(self, folder: RunFolder, tasks: int, display: Display) -> None:
        self._folder, self._tasks, self._display = folder, tasks, display
        self.crew: list[Child] = []
        """Processes that must not end by themselves; waiting is over when one does."""
        self._shown = 0.0

    def calls(self) -> list[Call]:
        """Return the model calls so far."""
        return read_calls(self._folder.path / CALLS)

    def reported(self) -> int:
        """Return how many tasks have a report."""
        return len({each["data"]["task"] for each in self._folder.lines("reports.jsonl")})

    async def until_worth_a_kill(self, victims: Sequence[Child]) -> Kill | None:
        """Wait for the middle of the run and for an open model call of one of the victims, and kill that one.

        Returns None when the run ended before such a moment came.
        """
        while self.reported() < self._tasks and not self.deserters():
            self._show()
            findings = len(self._folder.lines("findings.jsonl"))
            early = findings < _EARLIEST_SHARE * self._tasks
            victim = None if early else self._in_flight(victims, late=findings > self._tasks)
            if victim is not None:
                now = time.time()
                victim.kill()
                return Kill(worker=victim.name, at=now)
            await asyncio.sleep(_POLL_SECONDS)
        return None

    def _in_flight(self, victims: Sequence[Child], *, late: bool) -> Child | None:
        calls, now = self.calls(), time.time()
        for victim in victims:
            if open_calls(calls, victim.name) and (late or is_quiet(calls, victim.name, now)):
                return victim
        return None

    async def until_reported(self) -> None:
        """Wait until every task has a report."""
        while self.reported() < self._tasks and not self.deserters():
            self._show()
            await asyncio.sleep(_POLL_SECONDS)

    def deserters(self) -> list[str]:
        """Return what to say of each process of the crew that has ended by itself."""
        return [f"{each.name} ended by itself, {each.end}" for each in self.crew if not each.is_running]

    async def until_still(self, seconds: float) -> None:
        """Wait until the subscriber has not been given anything for so long."""
        known, since = -1, time.monotonic()
        while time.monotonic() - since < seconds:
            size = sum(path.stat().st_size for path in self._folder.path.glob("*s.jsonl"))
            if size != known:
                known, since = size, time.monotonic()
            await asyncio.sleep(_POLL_SECONDS)
        self._show(at_once=True)

    def _show(self, *, at_once: bool = False) -> None:
        if not at_once and time.monotonic() - self._shown < _SHOW_SECONDS:
            return
        self._shown = time.monotonic()
        self._display.show(
            Stand(
                published=len(self._folder.lines(PUBLISHED)),
                findings=len(self._folder.lines("findings.jsonl")),
                reports=self.reported(),
                calls=len(self.calls()),
            )
        )
