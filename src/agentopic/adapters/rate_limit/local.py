"""Rate limits of one process, as leaky buckets."""

from __future__ import annotations

import asyncio

from aiolimiter import AsyncLimiter

from agentopic.ports.rate_limits import RateLimit

MINUTE = 60.0


class LocalRateLimits:
    """Counts the calls of this process alone: two processes together may call twice as often."""

    def __init__(self) -> None:
        self._gates: dict[tuple[str, RateLimit], _Gate] = {}
        self._held: dict[str, float] = {}
        self._owing: set[asyncio.Task[None]] = set()

    async def admit(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        """Wait for the turn of this call; see the port."""
        gate = self._gate(endpoint, limit)
        async with gate.order:
            await self._released(endpoint)
            await gate.acquire(tokens)
            # What was held back while this call waited for its tokens is held for this call too.
            await self._released(endpoint)

    async def settle(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        """Take the tokens as soon as there are so many."""
        gate = self._gate(endpoint, limit)
        if gate.tokens is None or tokens <= 0:
            return
        task = asyncio.get_running_loop().create_task(gate.tokens.acquire(min(tokens, gate.tokens.max_rate)))
        self._owing.add(task)
        task.add_done_callback(self._owing.discard)

    async def hold(self, endpoint: str, seconds: float) -> None:
        """Remember until when the endpoint wants peace; a longer hold wins."""
        until = asyncio.get_running_loop().time() + seconds
        self._held[endpoint] = max(until, self._held.get(endpoint, until))

    async def aclose(self) -> None:
        """Forget the tokens still owed."""
        owing = list(self._owing)
        for task in owing:
            task.cancel()
        if owing:
            await asyncio.wait(owing)

    async def _released(self, endpoint: str) -> None:
        loop = asyncio.get_running_loop()
        while (left := self._held.get(endpoint, 0.0) - loop.time()) > 0:  # noqa: ASYNC110 - time passes by itself
            await asyncio.sleep(left)
        self._held.pop(endpoint, None)

    def _gate(self, endpoint: str, limit: RateLimit) -> _Gate:
        gate = self._gates.get((endpoint, limit))
        if gate is None:
            gate = self._gates[endpoint, limit] = _Gate(limit)
        return gate


class _Gate:
    """The two buckets of an endpoint, and the order of those who wait for them."""

    def __init__(self, limit: RateLimit) -> None:
        self.order = asyncio.Lock()
        self.requests = _bucket(limit.requests)
        self.tokens = _bucket(limit.tokens)

    async def acquire(self, tokens: int) -> None:
        if self.tokens is not None:
            await self.tokens.acquire(min(tokens, self.tokens.max_rate))
        if self.requests is not None:
            await self.requests.acquire()


def _bucket(per_minute: int | None) -> AsyncLimiter | None:
    return None if per_minute is None else AsyncLimiter(per_minute, MINUTE)
