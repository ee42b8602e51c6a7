"""Rate limiting: which limit an endpoint has, and what its answers mean for those who come after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentopic.core._turn import StepSpec
from agentopic.errors import ConfigError
from agentopic.ports.rate_limits import RateLimit, RateLimits

EVERY_ENDPOINT = "*"
UNLIMITED = RateLimit()


class RateLimiting:
    """Applies the configured limits, by endpoint, by model name, or for all (`*`), the first that is named.

    Raises:
        ConfigError: limits are configured and nothing can count calls.
    """

    def __init__(self, limits: RateLimits | None, configured: Mapping[str, RateLimit]) -> None:
        if limits is None and configured:
            raise ConfigError("rate limits are set and nothing here counts calls: give the mesh its rate limits")
        self._limits, self._configured = limits, configured

    def limit(self, spec: StepSpec[Any]) -> RateLimit:
        """Return the limit of the endpoint a step calls."""
        for name in (spec.endpoint, spec.name, EVERY_ENDPOINT):
            if name in self._configured:
                return self._configured[name]
        return UNLIMITED

    async def admit(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        """Return when a call may be made; a hold is heeded whether there is a limit or not."""
        if self._limits is not None:
            await self._limits.admit(endpoint, limit, tokens)

    async def settle(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        """Count the tokens beyond those a call was admitted with."""
        if self._limits is not None and limit.tokens is not None and tokens > 0:
            await self._limits.settle(endpoint, limit, tokens)

    async def hold(self, endpoint: str, seconds: float) -> None:
        """Let nobody call the endpoint for so long."""
        if self._limits is not None:
            await self._limits.hold(endpoint, seconds)
