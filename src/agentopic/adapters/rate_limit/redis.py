"""Rate limits that all processes share, counted in Redis by one script per call."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from agentopic.adapters.rate_limit.local import LocalRateLimits
from agentopic.ports.rate_limits import RateLimit
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

ALONE_SECONDS: Final = 5.0
"""How long a process counts for itself after Redis has failed, before it asks again."""
LOOK_SECONDS: Final = 1.0
"""The longest sleep between two looks: a hold may have been put on the endpoint meanwhile."""

# Levels leak by the server's clock, so that the processes' clocks do not matter. KEYS[1]: the endpoint's levels;
# ARGV: requests and tokens per minute (0: unlimited), tokens of this call, 1 to count them without asking.
# Returns 0 when the call was counted, else the milliseconds after which to ask again.
_ADMIT: Final = """
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local row = redis.call('HMGET', KEYS[1], 'requests', 'tokens', 'at', 'until')
local rates = {tonumber(ARGV[1]), tonumber(ARGV[2])}
local amounts = {1 - tonumber(ARGV[4]), tonumber(ARGV[3])}
local elapsed = math.max(0, ms - tonumber(row[3] or ms))
local wait = 0
local levels = {}
for i = 1, 2 do
  local rate = rates[i]
  levels[i] = math.max(0, tonumber(row[i] or 0) - elapsed * rate / 60000)
  if rate > 0 then
    amounts[i] = math.min(amounts[i], rate)
    wait = math.max(wait, (levels[i] + amounts[i] - rate) * 60000 / rate)
  end
end
wait = math.max(wait, tonumber(row[4] or 0) - ms)
if ARGV[4] == '1' then wait = 0 end
for i = 1, 2 do
  if wait <= 0 and rates[i] > 0 then levels[i] = levels[i] + amounts[i] end
end
redis.call('HSET', KEYS[1], 'requests', tostring(levels[1]), 'tokens', tostring(levels[2]), 'at', ms)
redis.call('PEXPIRE', KEYS[1], 3600000)
return math.max(0, math.ceil(wait))
"""

_HOLD: Final = """
local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[1])
if at > tonumber(redis.call('HGET', KEYS[1], 'until') or 0) then redis.call('HSET', KEYS[1], 'until', at) end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[1]) + 3600000)
return 0
"""


class RedisRateLimits:
    """Counts the calls of all processes that use the same server and namespace.

    A server that cannot be reached stops nobody: each process then counts for itself, as `LocalRateLimits` does.
    """

    def __init__(self, url: str, *, namespace: str) -> None:
        # redis-py leaves the options of from_url untyped.
        connect = cast("Callable[..., Redis]", Redis.from_url)  # pyright: ignore[reportUnknownMemberType]
        self._redis = connect(url, socket_timeout=2.0, socket_connect_timeout=2.0)
        self._namespace = namespace
        self._local = LocalRateLimits()
        self._alone_until = 0.0
        self._order = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._admit = self._redis.register_script(_ADMIT)
        self._hold = self._redis.register_script(_HOLD)

    async def admit(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        """Wait for the turn of this call; see the port."""
        async with self._order[endpoint]:
            left = await self._count(endpoint, limit, tokens, asking=True)
            while left:
                await asyncio.sleep(min(left, LOOK_SECONDS))
                left = await self._count(endpoint, limit, tokens, asking=True)
        if left is None:
            await self._local.admit(endpoint, limit, tokens)

    async def settle(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        """Count what the call took beyond its admission; see the port."""
        if tokens > 0 and await self._count(endpoint, limit, tokens, asking=False) is None:
            await self._local.settle(endpoint, limit, tokens)

    async def hold(self, endpoint: str, seconds: float) -> None:
        """Let no process call the endpoint for so long; this one in any case."""
        await self._local.hold(endpoint, seconds)
        await self._run(self._hold, endpoint, [int(seconds * 1000)])

    async def aclose(self) -> None:
        """Close the connections."""
        await self._local.aclose()
        await self._redis.aclose()

    async def _count(self, endpoint: str, limit: RateLimit, tokens: int, *, asking: bool) -> float | None:
        """Return the seconds to wait, 0 when counted, None when the server does not answer."""
        arguments = [limit.requests or 0, limit.tokens or 0, tokens, 0 if asking else 1]
        millis = await self._run(self._admit, endpoint, arguments)
        return None if millis is None else millis / 1000

    async def _run(self, script: Any, endpoint: str, arguments: list[int]) -> int | None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._alone_until:
            return None
        # A digest: an endpoint is free text, a key with its hash tag is not.
        key = f"{self._namespace}:rate:{{{hashlib.sha256(endpoint.encode()).hexdigest()[:32]}}}"
        try:
            return cast("int", await script(keys=[key], args=arguments))
        except RedisError as exc:
            self._alone_until = loop.time() + ALONE_SECONDS
            log.warning("rate limits cannot be shared, this process counts for itself", error=str(exc))
            return None
