"""Putting idle agents away: by time, and oldest first when the process takes more memory than it may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agentopic.engine.activation import Activations
from agentopic.engine.memory import resident_bytes
from agentopic.engine.options import EngineOptions
from agentopic.ports.clock import Clock
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

LOOK_SECONDS = 1.0
PORTION = 1000
"""Instances put away per look and agent type: closing them shares the event loop with turns."""


class PutAway:
    """Looks once a second at the instances that no turn uses; an agent put away is loaded again when it has work."""

    def __init__(
        self,
        activations: Sequence[Activations],
        *,
        clock: Clock,
        options: EngineOptions,
        resident: Callable[[], int | None] = resident_bytes,
    ) -> None:
        self._activations, self._clock, self._options, self._resident = activations, clock, options, resident

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Put away what has been idle too long and, above the memory limit, the oldest quarter of the rest."""
        stale = self._clock.monotonic() - self._options.idle_seconds
        for each in self._activations:
            await each.put_away(PORTION, unused_since=stale)
        limit = self._options.memory_limit_bytes
        resident = None if limit is None else self._resident()
        if limit is not None and resident is not None and resident > limit:
            closed = await self._put_oldest_away()
            log.warning("above the memory limit", resident_bytes=resident, limit_bytes=limit, put_away=closed)

    async def _put_oldest_away(self) -> int:
        count = -(-sum(len(each) for each in self._activations) // 4)
        closed = 0
        while closed < count:
            oldest = min(self._activations, key=lambda each: each.oldest)
            if not await oldest.put_away(1):
                break
            closed += 1
        return closed
