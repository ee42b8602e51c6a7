"""The machine's clocks: wall time for labels, boot time for decisions."""

from __future__ import annotations

import time
from datetime import UTC, datetime

# Plain monotonic time stands still while the machine sleeps or is suspended; boot time does not.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """Reads the operating system's clocks; see `agentopic.ports.clock.Clock`."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since boot, suspended time included where the system counts it."""
        return time.clock_gettime(_STEADY)
