"""Circuit breaker: an endpoint that fails again and again is left alone for a while, then tried by one call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from agentopic.errors import ModelUnavailableError, RateLimitedError
from agentopic.ports.clock import Clock
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

Verdict = Literal["answered", "failed", "unknown"]
"""What a call says about its endpoint; a call that was broken off says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitPolicy:
    """When an endpoint is left alone, and for how long."""

    failures: int = 10
    """Calls in a row that found the endpoint unavailable or ran into their time-out."""
    cool_down_seconds: float = 10.0


def verdict(error: BaseException | None) -> Verdict:
    """Tell what the outcome of a call says about its endpoint.

    An endpoint that refuses a call, or asks for patience, answers: only one that is unavailable fails.
    """
    if isinstance(error, asyncio.CancelledError):
        return "unknown"
    unavailable = isinstance(error, ModelUnavailableError | TimeoutError | ConnectionError)
    return "failed" if unavailable and not isinstance(error, RateLimitedError) else "answered"


class Circuit:
    """The circuit of one endpoint: closed, open for the cool-down, then half open for one probe."""

    def __init__(self, endpoint: str, policy: CircuitPolicy, clock: Clock) -> None:
        self._endpoint, self._policy, self._clock = endpoint, policy, clock
        self._failures = 0
        self._closed_at: float | None = None
        """By the monotonic clock, when the open circuit lets a probe pass; None while it is closed."""
        self._probing = False
        self._changed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether every call may pass."""
        return self._closed_at is None

    def enter(self) -> bool | None:
        """Let a call pass: False, as the probe: True, or not: None. Tell `leave` what came of one that passed."""
        if self.is_closed:
            return False
        if self._probing or self._left() > 0:
            return None
        self._probing = True
        return True

    async def passable(self) -> None:
        """Return when `enter` may let a call pass."""
        while not self.is_closed and (self._probing or self._left() > 0):
            await self._change(None if self._probing else self._left())

    def _left(self) -> float:
        return 0.0 if self._closed_at is None else self._closed_at - self._clock.monotonic()

    async def _change(self, seconds: float | None) -> None:
        changed = self._changed
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            return  # the cool-down is over

    def leave(self, said: Verdict, *, probe: bool) -> None:
        """Note how a call ended that `enter` let pass."""
        if probe:
            self._probing = False
        if said == "failed":
            self._failures += 1
            # Calls that were under way when the circuit opened say nothing new.
            if probe or (self.is_closed and self._failures >= self._policy.failures):
                self._open()
        elif said == "answered" and (probe or self.is_closed):
            self._close()
        if probe:
            self._wake()

    def _open(self) -> None:
        self._closed_at = self._clock.monotonic() + self._policy.cool_down_seconds
        log.warning(
            "endpoint left alone for a while",
            endpoint=self._endpoint,
            failures=self._failures,
            seconds=self._policy.cool_down_seconds,
        )

    def _close(self) -> None:
        if not self.is_closed:
            log.info("endpoint answers again", endpoint=self._endpoint)
        self._failures, self._closed_at = 0, None

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Circuits:
    """The circuits of all endpoints this process calls."""

    def __init__(self, policy: CircuitPolicy, clock: Clock) -> None:
        self._policy, self._clock = policy, clock
        self._circuits: dict[str, Circuit] = {}

    def of(self, endpoint: str) -> Circuit:
        """Return the circuit of an endpoint."""
        circuit = self._circuits.get(endpoint)
        if circuit is None:
            circuit = self._circuits[endpoint] = Circuit(endpoint, self._policy, self._clock)
        return circuit
