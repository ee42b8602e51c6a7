"""Sleepers: the suspended turns of a process, and which of them have been in memory long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agentopic.engine.attempt import Attempt
from agentopic.engine.memory import resident_bytes
from agentopic.engine.options import EngineOptions
from agentopic.engine.suspension import SETTLE_SECONDS
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

LOOK_SECONDS = 1.0


class SuspendedTurns:
    """Keeps suspended turns, longest suspended first.

    They are unwound after `suspend_seconds`; above the memory limit the oldest quarter goes each second; while
    draining every one at once.
    """

    def __init__(self, options: EngineOptions, *, resident: Callable[[], int | None] = resident_bytes) -> None:
        self._options, self._resident = options, resident
        self._attempts: dict[Attempt, None] = {}
        self._draining = False

    def __len__(self) -> int:
        """Return the number of suspended turns in memory."""
        return len(self._attempts)

    def suspended(self, attempt: Attempt) -> None:
        """Note that a turn has given its slot back."""
        self._attempts[attempt] = None
        if self._draining:
            self._unwind_soon(attempt)

    def resumed(self, attempt: Attempt) -> None:
        """Note that it holds one again, or has ended."""
        self._attempts.pop(attempt, None)

    def drain(self) -> None:
        """Unwind every turn that waits, now and from now on."""
        self._draining = True
        for attempt in list(self._attempts):
            self._unwind_soon(attempt)

    def _unwind_soon(self, attempt: Attempt) -> None:
        """Unwind a turn as soon as it has been quiet for a moment: another branch of it may be about to go on."""
        quiet = asyncio.get_running_loop().time() - attempt.since
        if quiet >= SETTLE_SECONDS and attempt.unwind(hand_over=True):
            return

        def again() -> None:
            if attempt in self._attempts and attempt.over is None:
                self._unwind_soon(attempt)

        asyncio.get_running_loop().call_later(max(SETTLE_SECONDS - quiet, SETTLE_SECONDS / 5), again)

    async def run(self) -> None:
        """Look once a second until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> int:
        """Unwind what has been suspended long enough, and more above the memory limit; return how many."""
        if not self._attempts:
            return 0
        now = asyncio.get_running_loop().time()
        quiet = [each for each in self._attempts if each.since <= now - SETTLE_SECONDS]
        due = [each for each in quiet if each.since <= now - self._options.suspend_seconds]
        if self._is_above_limit():
            quarter = quiet[: -(-len(self._attempts) // 4)]
            due = quarter if len(quarter) > len(due) else due
        return sum(attempt.is_durable and attempt.unwind() for attempt in due)

    def _is_above_limit(self) -> bool:
        limit = self._options.memory_limit_bytes
        resident = None if limit is None else self._resident()
        if limit is None or resident is None or resident <= limit:
            return False
        log.warning("above the memory limit, unwinding waiting turns", resident_bytes=resident, limit_bytes=limit)
        return True
