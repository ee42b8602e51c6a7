"""The rate-limit port: how often, and with how many tokens, one endpoint may be called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """What an endpoint allows per minute; None: as much as one likes.

    A minute's worth may be used at once, then it comes back evenly over a minute.
    """

    requests: int | None = None
    tokens: int | None = None


class RateLimits(Protocol):
    """Admits calls to endpoints. Every call names its limit, so that a change of settings needs no change here."""

    async def admit(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        """Return when one more call with so many tokens is within the limit, and count it.

        More tokens than a minute's worth count as a minute's worth. Of one process, callers are admitted in their
        order. One that is cancelled may have been counted.
        """
        ...

    async def settle(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        """Count tokens a call took beyond those it was admitted with; later callers wait for them. Never waits."""
        ...

    async def hold(self, endpoint: str, seconds: float) -> None:
        """Admit nobody to the endpoint for so long, whatever its limit: it has asked for that."""
        ...

    async def aclose(self) -> None:
        """Let go of connections; idempotent."""
        ...
