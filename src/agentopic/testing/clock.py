"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """The engine's clock port, and the clock of a `MemoryMesh`, in the hands of a test.

    >>> clock = FakeClock()
    >>> clock.advance(3600)
    >>> clock.now().hour
    1
    """

    def __init__(self, start: datetime = _START) -> None:
        """Begin at this time, which must be aware."""
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the wall-clock time, aware, UTC."""
        return self._now.astimezone(UTC)

    def monotonic(self) -> float:
        """Return the seconds this clock was advanced by so far."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: time does not run backwards; `set_wall` sets the wall clock wrong.
        """
        if seconds < 0:
            raise ValueError(f"a clock cannot advance by {seconds} seconds")
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall(self, now: datetime) -> None:
        """Set the wall clock, as an administrator or NTP does; no time passes."""
        self._now = now
